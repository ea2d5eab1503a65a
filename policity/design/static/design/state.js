// A fixed link to the city's state says what the state is. Without this script it stays a link.
(async () => {
  const link = document.querySelector("[data-state]");
  if (!link) return;
  const answer = await fetch("/state.json", { cache: "no-cache" });
  if (!answer.ok) return;
  const { state, summary } = await answer.json();
  const place = link.querySelector("b");
  // Readings are written {word|reading}, as everywhere in the city's texts.
  place.replaceChildren(...summary[link.dataset.state].split(/(\{[^}]+\})/).map((part) => {
    const found = /^\{(.+)\|(.+)\}$/.exec(part);
    if (!found) return part;
    const ruby = document.createElement("ruby");
    const reading = document.createElement("rt");
    reading.textContent = found[2];
    ruby.append(found[1], reading);
    return ruby;
  }));
  link.closest(".state").classList.toggle("state--alert", state !== "calm");
})();
