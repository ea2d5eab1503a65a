// A large form takes a while: says so, and is sent once. Without this script the browser says it.
const form = document.querySelector("[data-sending]");

form?.addEventListener("submit", () => {
  form.querySelector("[data-when=sending]").hidden = false;
  form.querySelector("[type=submit]").disabled = true;
});
// Whoever comes back to it may send it again.
addEventListener("pageshow", ({ persisted }) => {
  if (!form || !persisted) return;
  form.querySelector("[data-when=sending]").hidden = true;
  form.querySelector("[type=submit]").disabled = false;
});
