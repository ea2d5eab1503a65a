// A form is sent once, however often it is pressed; one that takes a while says so. Without this
// script the browser says it.
const form = document.querySelector("[data-sending]");

const sending = (is) => {
  const words = form.querySelector("[data-when=sending]");
  if (words) words.hidden = !is;
  form.querySelector("[type=submit]").disabled = is;
};
form?.addEventListener("submit", () => sending(true));
// Whoever comes back to it may send it again.
addEventListener("pageshow", ({ persisted }) => {
  if (form && persisted) sending(false);
});
