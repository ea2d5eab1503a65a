// Is it inside: one place against the areas of the city's hazard maps. It is reckoned here, and the
// place is sent to nobody. Without this script the lists of towns are there.
const ask = document.getElementById("ask");
const answer = document.getElementById("answer");
const told = document.getElementById("told");
const unit = 100000;

// A line as it comes: its first point, then what is added for each next one.
const line = (steps) => {
  const points = [];
  let [lat, lon] = [0, 0];
  for (let at = 0; at < steps.length; at += 2) {
    lat += steps[at];
    lon += steps[at + 1];
    points.push([lat / unit, lon / unit]);
  }
  return points;
};

// Even-odd: how often a line to the east crosses a border.
const inside = (rings, lat, lon) => rings.reduce((whole, ring) => ring.reduce((odd, [y, x], at) => {
  const [below, left] = ring[at ? at - 1 : ring.length - 1];
  const crosses = (y > lat) !== (below > lat)
    && lon < ((left - x) * (lat - y)) / (below - y) + x;
  return crosses ? !odd : odd;
}, whole), false);

let shapes;
const fetched = () => {
  shapes ||= fetch(ask.dataset.shapes).then((got) => {
    if (!got.ok) throw new Error(got.status);
    return got.json();
  }).then(({ city, layers }) => ({
    city: city.map(line),
    layers: layers.map(({ id, areas }) => ({
      id, areas: areas.map(([depth, rings]) => ({ depth, rings: rings.map(line) })),
    })),
  })).catch((error) => { shapes = undefined; throw error; });
  return shapes;
};

const show = (part, shown) => { answer.querySelector(part).hidden = !shown; };

const look = (lat, lon) => fetched().then(({ city, layers }) => {
  told.textContent = "";
  const known = inside(city, lat, lon);
  const rows = [...answer.querySelectorAll("li")];
  const deepest = {};
  if (known) {
    layers.forEach(({ id, areas }) => areas.forEach(({ depth, rings }) => {
      if (inside(rings, lat, lon)) deepest[id] = Math.max(depth, deepest[id] ?? 0);
    }));
  }
  rows.forEach((row) => {
    row.hidden = deepest[row.dataset.layer] !== Number(row.dataset.depth);
  });
  const found = rows.some((row) => !row.hidden);
  show("ul", found);
  show("[data-inside]", found);
  show("[data-outside]", known && !found);
  show("[data-beyond]", !known);
}).catch(() => { told.textContent = ask.dataset.lost; });

ask.hidden = false;
document.getElementById("here").addEventListener("click", () => {
  const nowhere = () => { told.textContent = ask.dataset.nowhere; };
  if (!navigator.geolocation) {
    nowhere();
    return;
  }
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => look(coords.latitude, coords.longitude), nowhere, { timeout: 15000 },
  );
});

ask.querySelector(".moving").addEventListener("drawn", ({ detail: map }) => {
  const { L } = window;
  const mark = L.circleMarker([0, 0], {
    radius: 9, weight: 3, color: "#fff", fillColor: "#17211d", fillOpacity: 1,
  });
  map.on("click", ({ latlng }) => {
    mark.setLatLng(latlng).addTo(map);
    look(latlng.lat, latlng.lng);
  });
  fetched().then(({ layers }) => layers.forEach(({ areas }) => areas.forEach(({ rings }) => {
    L.polygon(rings, {
      interactive: false, stroke: false, fillColor: "#0a4d9e", fillOpacity: 0.35,
    }).addTo(map);
  }))).catch(() => {});
});
