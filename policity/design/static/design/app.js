// Keeps the pages that matter most on this device, for when nothing can be reached. Without this
// script pages come from the city alone.
const wanted = document.currentScript.dataset.keep.split(" ");
if ("serviceWorker" in navigator) {
  addEventListener("load", async () => {
    try {
      await navigator.serviceWorker.register("/sw.js");
      const { active } = await navigator.serviceWorker.ready;
      active.postMessage({ keep: [...wanted, location.pathname] });
    } catch {
      // A browser that keeps nothing, as in a private window.
    }
  });
}
