// A drill that runs: its parts change by themselves, what is being pressed or read stays.
// Without this script the page reads itself again, and has its own link.
const AGAIN = 2000;
const main = document.querySelector("[data-running]");

const put = (page) => {
  for (const part of document.querySelectorAll("[data-fresh]")) {
    const now = page.getElementById(part.id);
    if (now && now.innerHTML !== part.innerHTML) part.innerHTML = now.innerHTML;
  }
  if (page.querySelector("[data-running]")) return true;
  const stop = document.getElementById("stop");
  if (stop?.contains(document.activeElement)) main.focus({ preventScroll: true });
  stop?.remove();
  return false;
};

const look = async () => {
  let runs = true;
  try {
    const answer = await fetch(location.href, { redirect: "error" });
    if (answer.ok) {
      runs = put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
  } catch {
    // A restart, or signed out: asked for again.
  }
  if (runs) setTimeout(look, AGAIN);
};

setTimeout(look, AGAIN);
