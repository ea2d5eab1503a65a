// A map that moves, once somebody asks for it: Leaflet is fetched with the press, and the tiles of
// 国土地理院 only then. Where they cannot be reached, the city's own lines are the map.
const bring = (tag, given) => new Promise((done, failed) => {
  const part = Object.assign(document.createElement(tag), given);
  part.addEventListener("load", done);
  part.addEventListener("error", failed);
  document.head.append(part);
});
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const draw = (place) => {
  const { points = [], line = [], around } = JSON.parse(place.dataset.shown);
  const box = place.querySelector(".moving__map");
  box.hidden = false;
  const { L } = window;
  const map = L.map(box);
  // Buttons for a finger; the credit is that of the tiles.
  map.zoomControl.getContainer().classList.add("moving__zoom");
  map.attributionControl.setPrefix(false);
  const shown = L.featureGroup();
  if (line.length) L.polyline(line, { color: colour("--leaf"), weight: 5 }).addTo(shown);
  points.forEach(([lat, lon, name, href]) => {
    const mark = L.circleMarker([lat, lon], {
      radius: 9, weight: 3, color: "#fff", fillColor: "#1d5b3f", fillOpacity: 1,
    }).addTo(shown);
    if (!name) return;
    const said = document.createElement(href ? "a" : "span");
    said.textContent = name;
    said.className = "moving__name";
    if (href) said.href = href;
    // What is said does not lie below the buttons.
    mark.bindPopup(said, { closeButton: false, autoPanPaddingTopLeft: [64, 8] });
  });
  shown.addTo(map);
  map.fitBounds(around || shown.getBounds().pad(0.1), { maxZoom: 16 });
  fetch(place.dataset.land).then((got) => got.json()).then((land) => {
    land.towns.forEach((ring) => L.polyline(ring, { color: "#8a9a92", weight: 1 }).addTo(map));
    land.city.forEach((ring) => L.polyline(ring, { color: "#4d5f56", weight: 2 }).addTo(map));
    shown.bringToFront();
  }).catch(() => {});
  L.tileLayer(place.dataset.tiles, { maxZoom: 18, attribution: place.dataset.credit })
    .on("tileerror", () => { place.querySelector("[role=status]").textContent = place.dataset.lost; })
    .addTo(map);
  // What a page adds of its own.
  place.dispatchEvent(new CustomEvent("drawn", { detail: map }));
};

document.querySelectorAll(".moving").forEach((place) => {
  const button = place.querySelector("button");
  const { script: src, style: href } = place.dataset;
  place.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    Promise.all([bring("link", { rel: "stylesheet", href }), bring("script", { src })]).then(() => {
      draw(place);
      button.parentElement.remove();
    }).catch(() => { button.disabled = false; });
  });
});
