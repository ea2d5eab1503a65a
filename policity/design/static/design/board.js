// The board changes by itself. Without this script it stays as it was loaded, with its own link.
const board = document.querySelector("[data-live]");
const state = document.querySelector("[data-state]");
const voice = document.querySelector("[data-say]");
// As long as the server stays silent before the connection counts as lost, in milliseconds.
const SILENCE = 15000;
// A stream that was refused (signed out, a restart) is asked for again, not more often than this.
const AGAIN = 20000;
// Headlines are read aloud no more often than this.
const SPEAK = 30000;

let at = state.textContent.trim().split(" ")[0];
let silence;
let spoken = Date.now();

const mark = (lost) => {
  state.classList.toggle("lost", lost);
  state.textContent = lost ? `つながっていません（${at} の状態）` : `${at} の状態　自動で変わります`;
};

const heard = (time) => {
  at = time;
  mark(false);
  clearTimeout(silence);
  silence = setTimeout(() => mark(true), SILENCE);
};

// The same control after the change as before it, so that a keyboard stays where it is.
const name = (element) => element.id || element.getAttribute("formaction")
  || element.getAttribute("href") || element.getAttribute("aria-label");

const put = (slot, html) => {
  const held = slot.contains(document.activeElement) ? name(document.activeElement) : null;
  const scrolled = [...slot.querySelectorAll(".scroll")].map((part) => part.scrollLeft);
  slot.innerHTML = html;
  slot.querySelectorAll(".scroll").forEach((part, number) => {
    part.scrollLeft = scrolled[number] ?? 0;
  });
  if (held === null) return;
  const again = [...slot.querySelectorAll("a, button, [tabindex]")].find((one) => name(one) === held);
  (again ?? document.querySelector("main")).focus({ preventScroll: true });
};

const speak = () => {
  const headline = document.querySelector("[data-headline]")?.textContent ?? "";
  if (!headline || headline === voice.textContent || Date.now() - spoken < SPEAK) return;
  voice.textContent = headline;
  spoken = Date.now();
};

const open = () => {
  const stream = new EventSource(board.dataset.live);
  stream.addEventListener("board", (event) => {
    const tick = JSON.parse(event.data);
    heard(tick.at);
    for (const [pane, html] of Object.entries(tick.panes)) {
      const slot = document.querySelector(`[data-pane="${pane}"]`);
      if (slot && slot.innerHTML !== html) put(slot, html);
    }
    speak();
  });
  stream.addEventListener("beat", (event) => {
    heard(JSON.parse(event.data).at);
    speak();
  });
  stream.addEventListener("error", () => {
    mark(true);
    clearTimeout(silence);
    if (stream.readyState === EventSource.CLOSED) setTimeout(open, AGAIN);
  });
};

if (board && "EventSource" in window) open();
