// Titles for what is being typed; and, where this page is a published file and not the
// application's answer, the search itself. Without this script the site map is there.
const place = document.querySelector(".finder");
const folder = place.dataset.folder;
const field = document.getElementById("q");
const answer = document.getElementById("h-answer");

// What kit/japanese.py does, as far as a browser needs: width, case, kana, 々, bars at the end.
const kana = (sign) => /[ぁ-ゖー]/.test(sign);
const bar = (sign) => /[‐‑‒–—―−ー─-]/.test(sign);
const fold = (text) => {
  let folded = "";
  const signs = [...text.normalize("NFKC").toLowerCase()
    .replace(/[ヶヵ]/g, "カ")
    .replace(/[ァ-ヶ]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0x60))
    .replace(/ゔ/g, "ぶ")
    .replace(/[\u3099\u309a]/g, "")];
  signs.forEach((sign, at) => {
    if (/[々〻ゝゞ]/.test(sign) && folded) folded += folded.at(-1);
    else if (bar(sign) && kana(folded.at(-1) || "")) {
      const long = [...folded.slice(-3)].length === 3 && [...folded.slice(-3)].every(kana);
      const next = signs[at + 1] || "";
      if (!long || (kana(next) && !bar(next))) folded += "ー";
    } else folded += sign;
  });
  return folded;
};

// Every two neighbouring signs; Latin words whole, without a plural's s.
const grams = (folded) => (folded.match(/[0-9a-zß-ɏ]+|[^\P{L}0-9a-zß-ɏ]+/gu) || []).flatMap((run) => {
  if (/^[0-9a-zß-ɏ]/.test(run)) {
    return [run.length > 3 && /[^su0-9]s$/.test(run) ? run.slice(0, -1) : run];
  }
  const signs = [...run];
  return signs.length === 1 ? signs : signs.slice(1).map((sign, at) => signs[at] + sign);
});

// Kanji alone, where kana stand between them: 引っ越し → 引越.
const skeleton = (folded) => {
  const kanji = (folded.match(/\p{Script=Han}/gu) || []).join("");
  const rest = folded.replace(/\p{Script=Han}/gu, "");
  return [...kanji].length > 1 && rest && /^[ぁ-ん]+$/.test(rest) ? kanji : "";
};

// FNV-1a over UTF-16, as rules/static.py has it.
const number = (signs) => {
  let found = 2166136261;
  for (let at = 0; at < signs.length; at += 1) {
    found = Math.imul(found ^ signs.charCodeAt(at), 16777619) >>> 0;
  }
  return found;
};

const loaded = new Map();
const load = (name) => {
  if (!loaded.has(name)) {
    loaded.set(name, fetch(`${folder}index/${name}.json`).then((got) => {
      if (got.ok) return got.json();
      if (got.status === 404) return null;
      throw new Error(got.status);
    }));
  }
  return loaded.get(name);
};

let files = Number(place.dataset.files);

// Which documents have these signs, and how much that says: a title more than a text.
const having = async (signs) => {
  let file = await load(number(signs) % files);
  if (file && file.of !== files) {
    files = file.of;
    file = await load(number(signs) % files);
  }
  const found = new Map();
  if (!file) return found;
  [[file.x, 1], [file.t, 4]].forEach(([known, worth]) => {
    let document_ = 0;
    (known[signs] || []).forEach((further) => {
      document_ += further;
      found.set(document_, worth);
    });
  });
  return found;
};

const all = async (signs) => {
  const each = await Promise.all(signs.map(having));
  const both = new Map();
  each[0].forEach((worth, one) => {
    if (each.every((found) => found.has(one))) {
      both.set(one, each.reduce((sum, found) => sum + found.get(one), 0) / each.length);
    }
  });
  return both;
};

// A term as it is written; else its kanji alone.
const term = async (typed) => {
  const folded = fold(typed);
  const signs = grams(folded);
  if (!signs.length) return null;
  const found = await all(signs);
  const kanji = skeleton(folded);
  return found.size || !kanji ? found : all(grams(kanji));
};

const find = async (typed) => {
  const terms = (await Promise.all(typed.split(/\s+/).map(term))).filter(Boolean);
  const sums = new Map();
  terms.forEach((found) => found.forEach((worth, one) => {
    // Whoever has another term as well stands above.
    sums.set(one, (sums.get(one) || 0) + worth + 100);
  }));
  const most = Math.max(0, ...[...sums.values()].map((sum) => Math.floor(sum / 100)));
  return [...sums].filter(([, sum]) => Math.floor(sum / 100) === most)
    .sort((one, other) => other[1] - one[1] || one[0] - other[0]).map(([one]) => one);
};

// Hits of what was typed stand out: the signs of a text are compared one by one.
const hits = (text, wanted) => {
  const signs = [...text];
  const parts = [];
  let at = 0;
  while (at < signs.length) {
    const hit = wanted.find((one) => fold(signs.slice(at, at + [...one].length).join("")) === one);
    const end = at + (hit ? [...hit].length : 1);
    const here = signs.slice(at, end).join("");
    parts.push(hit ? Object.assign(document.createElement("mark"), { textContent: here }) : here);
    at = end;
  }
  return parts;
};

// Readings are written {word|reading}, as everywhere in the city's texts.
const marked = (text, typed) => {
  const wanted = typed.split(/\s+/).map(fold).filter((one) => one.length > 1);
  return text.split(/(\{[^}]+\})/).flatMap((part) => {
    const found = /^\{(.+)\|(.+)\}$/.exec(part);
    if (!found) return hits(part, wanted);
    const ruby = document.createElement("ruby");
    const reading = document.createElement("rt");
    reading.textContent = found[2];
    ruby.append(found[1], reading);
    const base = fold(found[1]);
    if (!wanted.some((one) => one.includes(base) || base.includes(one))) return ruby;
    const mark = document.createElement("mark");
    mark.append(ruby);
    return mark;
  });
};

const row = ([address, title, text, kind], typed) => {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = address;
  link.append(...marked(title, typed));
  const words = document.createElement("p");
  words.append(...marked(text, typed));
  const what = document.createElement("p");
  what.className = "hits__kind";
  what.append(document.createElement("span"));
  what.firstChild.append(...marked(kind, ""));
  item.append(link, words, what);
  return item;
};

const heading = (text) => {
  const made = document.createElement("h2");
  made.textContent = text;
  return made;
};

const MOST = 30;
const CHUNK = 200;
const search = async (typed) => {
  answer.hidden = false;
  answer.replaceChildren(heading(answer.dataset.wait));
  const numbers = await find(typed);
  const rows = (await Promise.all(numbers.slice(0, MOST).map(async (one) => {
    const titles = await load(`t${Math.floor(one / CHUNK)}`);
    // Taken down since: its title went with it.
    return titles && titles[one] ? row(titles[one], typed) : null;
  }))).filter(Boolean);
  const list = document.createElement("ol");
  list.className = "hits";
  list.append(...rows);
  const count = rows.length < MOST ? rows.length : numbers.length;
  answer.replaceChildren(heading(rows.length
    ? answer.dataset.some.replace("0", count) : answer.dataset.none));
  if (rows.length) answer.append(list);
  document.getElementById("h-help").hidden = rows.length > 0;
};

// What is being typed meets titles, where the application is there to ask.
let waiting;
field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const typed = field.value.trim();
    if (!typed) return;
    const got = await fetch(`${folder}suggest/?q=${encodeURIComponent(typed)}`).catch(() => null);
    if (!got || !got.ok) return;
    const { titles } = await got.json();
    document.getElementById("q-titles").replaceChildren(...titles.map((title) => {
      const option = document.createElement("option");
      option.value = title;
      return option;
    }));
  }, 200);
});

const asked = (new URLSearchParams(location.search).get("q") || "").trim().slice(0, 100);
if (answer && asked) {
  field.value = asked;
  search(asked).catch(() => answer.replaceChildren(heading(answer.dataset.fault)));
}
