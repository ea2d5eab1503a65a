// Choosing towns on a map. Everything here can also be done in the list, without a script.
(() => {
  "use strict";
  const form = document.querySelector(".compose");
  const map = form && form.querySelector("[data-map]");
  if (!map) return;
  const boxes = [...form.querySelectorAll("input[name=towns]")];
  const shapes = new Map([...map.querySelectorAll("[data-town]")].map((one) => [one.dataset.town, one]));
  const count = form.querySelector("[data-count]");
  const names = form.querySelector("[data-names]");
  const drawn = map.querySelector("[data-drawn]");
  const area = form.querySelector("#area");
  const pen = form.querySelector("[data-pen]");
  let corners = [];

  function show() {
    const chosen = boxes.filter((box) => box.checked);
    for (const box of boxes) shapes.get(box.value)?.classList.toggle("on", box.checked);
    count.textContent = chosen.length;
    const some = chosen.slice(0, 4).map((box) => box.dataset.name);
    const more = chosen.length > some.length ? `、ほか${chosen.length - some.length}町` : "";
    names.textContent = chosen.length ? `：${some.join("、")}${more}` : "";
  }

  function turn(box) {
    box.checked = !box.checked;
    show();
  }

  // What is drawn, as the server reads it: longitude and latitude.
  function keep() {
    drawn.setAttribute("points", corners.map((at) => at.join(",")).join(" "));
    const { west, south, east, north, width, height } = JSON.parse(map.dataset.map);
    const ring = corners.map(([x, y]) => [
      west + (x / width) * (east - west),
      north - (y / height) * (north - south),
    ]);
    area.value = ring.length
      ? JSON.stringify({ type: "Polygon", coordinates: [[...ring, ring[0]]] })
      : "";
  }

  map.addEventListener("click", (event) => {
    if (pen.getAttribute("aria-pressed") === "true") {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
      corners.push([Math.round(at.x * 10) / 10, Math.round(at.y * 10) / 10]);
      keep();
      return;
    }
    const town = event.target.closest("[data-town]");
    const box = town && boxes.find((one) => one.value === town.dataset.town);
    if (box) turn(box);
  });
  pen.addEventListener("click", () => {
    const on = pen.getAttribute("aria-pressed") !== "true";
    pen.setAttribute("aria-pressed", on);
    map.classList.toggle("drawing", on);
  });
  form.querySelector("[data-back]").addEventListener("click", () => {
    corners.pop();
    keep();
  });
  form.addEventListener("change", (event) => event.target.name === "towns" && show());
  for (const [name, checked] of [["[data-all]", true], ["[data-none]", false]]) {
    form.querySelector(name).addEventListener("click", () => {
      for (const box of boxes) box.checked = checked;
      show();
    });
  }
  const seek = form.querySelector("#town-q");
  seek.addEventListener("input", () => {
    const word = seek.value.trim();
    for (const one of form.querySelectorAll("[data-group]"))
      one.hidden = !one.dataset.group.includes(word);
  });
  // Enter in the search field must not save the order.
  seek.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  for (const one of form.querySelectorAll("[data-all], [data-none], [data-seek], [data-draw], [data-map-help]"))
    one.hidden = false;
  form.querySelector("#fault")?.focus();
  show();
})();
