// Stands inside pages, before anything is drawn: how this device is to show them, as somebody chose
// on the page /reading/. Without it pages are as they come.
{
  const { dataset } = document.documentElement;
  const follow = () => {
    let chosen = {};
    try {
      chosen = JSON.parse(localStorage.reading) ?? {};
    } catch {
      // Nothing was chosen, or nothing may be kept.
    }
    for (const name of ["text", "hand"]) dataset[name] = chosen[name] ?? "";
  };
  follow();
  // Whoever goes back to a page finds it as it was left.
  addEventListener("pageshow", follow);
}
