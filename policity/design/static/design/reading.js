// What is chosen here stays on this device; early.js follows it on every page.
const form = document.querySelector("[data-reading]");
const names = ["text", "hand"];
const { dataset } = document.documentElement;

const say = (what) => {
  for (const one of form.querySelectorAll("[data-when]")) one.hidden = one.dataset.when !== what;
};

const choose = () => {
  const chosen = Object.fromEntries(names.map((name) => [name, form.elements[name].value]));
  Object.assign(dataset, chosen);
  try {
    if (names.some((name) => chosen[name])) localStorage.reading = JSON.stringify(chosen);
    else localStorage.removeItem("reading");
    say("kept");
  } catch {
    say("lost");
  }
};

for (const name of names) {
  const one = form.querySelector(`[name=${name}][value="${dataset[name]}"]`);
  if (one) one.checked = true;
}
form.addEventListener("change", choose);
// The fields are back only after this.
form.addEventListener("reset", () => setTimeout(choose));
