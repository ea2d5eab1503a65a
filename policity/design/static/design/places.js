// What changes with the hour, and what only this device knows: which facilities are open now, what
// is near. A position never leaves the page. Without this script the lists and weeks are there.
const minute = 60e3;
// The city's own time, read off with getUTC…: nine hours ahead of UTC, all year.
const here = () => new Date(Date.now() + 9 * 60 * minute);
const iso = (day) => day.toISOString().slice(0, 10);
const later = (day, days) => new Date(day.getTime() + days * 24 * 60 * minute);
const clock = (minutes) => `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
const named = (day) => new Intl.DateTimeFormat(document.documentElement.lang, {
  month: "numeric", day: "numeric", weekday: "short", timeZone: "UTC",
}).format(day);

const spans = (hours, day) => hours.days[iso(day)] || hours.week[(day.getUTCDay() + 6) % 7];

// Open until when; or shut, and open again when.
const standing = (hours) => {
  const now = here();
  const at = now.getUTCHours() * 60 + now.getUTCMinutes();
  const today = spans(hours, now);
  const span = today.find(([opens, closes]) => opens <= at && at < closes);
  if (span) return { open: true, time: clock(span[1]) };
  for (let ahead = 0; ahead < 60; ahead += 1) {
    const day = later(now, ahead);
    const next = spans(hours, day).find(([opens]) => ahead || opens > at);
    if (next) {
      return { off: !today.length, time: ahead ? `${named(day)} ${clock(next[0])}` : clock(next[0]) };
    }
  }
  return { off: true };
};

const told = (words, standing_) => {
  const { open, off, time } = standing_;
  if (!time) return "";
  return (open ? words.open : off ? words.off : words.shut).replace("%(time)s", time);
};

const metres = ([lat, lon], { latitude, longitude }) => Math.hypot(
  (lat - latitude) * 111320,
  (lon - longitude) * 111320 * Math.cos((lat * Math.PI) / 180),
);

const one = (place, data) => {
  const found = data.facilities[place.dataset.facility];
  const hours = found && data.hours[found.h];
  if (!hours) return;
  place.textContent = told(place.dataset, standing(hours));
  place.hidden = !place.textContent;
  const table = document.querySelector(".ahead table");
  for (let ahead = 0; ahead < 7; ahead += 1) {
    const day = later(here(), ahead);
    const row = table.tBodies[0].insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    head.append(named(day));
    const holiday = data.holidays[iso(day)];
    if (holiday) {
      const name = document.createElement("span");
      name.lang = "ja";
      name.append(` ${holiday}`);
      head.append(name);
    }
    row.append(head);
    row.insertCell().append(
      spans(hours, day).map(([opens, closes]) => `${clock(opens)}–${clock(closes)}`).join(" ")
      || table.dataset.closed,
    );
  }
  table.parentElement.hidden = false;
};

const list = (form, data) => {
  const rows = [...document.querySelectorAll("li[data-facility]")];
  const near = document.getElementById("nearest");
  const said = document.getElementById("told");
  const of = (row) => data.facilities[row.dataset.facility] || { f: [] };
  rows.forEach((row) => {
    const hours = data.hours[of(row).h];
    if (!hours) return;
    const text = document.createElement("p");
    text.append(told(form.dataset, standing(hours)));
    row.append(text);
  });
  const sift = () => {
    const wanted = [...form.querySelectorAll("[name=feature]:checked")].map((box) => box.value);
    const open = form.elements.open && form.elements.open.checked;
    let count = 0;
    rows.forEach((row) => {
      const { f, h } = of(row);
      row.hidden = !wanted.every((key) => f.includes(key))
        || Boolean(open && !(data.hours[h] && standing(data.hours[h]).open));
      count += !row.hidden;
    });
    document.querySelectorAll(".group").forEach((group) => {
      group.hidden = !group.querySelector("li:not([hidden])");
    });
    said.textContent = form.dataset.count.replace("%(count)s", count);
  };
  form.addEventListener("change", sift);
  document.getElementById("near").addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      const far = new Map(rows.filter((row) => of(row).at).map((row) => [row, metres(of(row).at, coords)]));
      [...far].sort((a, b) => a[1] - b[1]).forEach(([row, distance]) => {
        const text = row.querySelector(".far") || document.createElement("p");
        text.className = "far";
        text.textContent = form.dataset.near.replace("%(metres)s", Math.round(distance / 10) * 10);
        row.append(text);
        near.querySelector("ul").append(row);
      });
      near.hidden = false;
      sift();
      near.scrollIntoView();
    }, () => { said.textContent = form.dataset.nowhere; });
  });
  form.hidden = false;
};

fetch("/places/facilities.json").then((got) => got.json()).then((data) => {
  const form = document.getElementById("sieve");
  const place = document.querySelector(".week__now");
  if (form) list(form, data);
  if (place) one(place, data);
}).catch(() => {});
