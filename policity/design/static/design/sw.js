// Shows what the city sends, and opens the page that tells more. Keeps the public pages that were
// read, for when nothing can be reached; then it says so, and of when they are.

// A browser that drops its subscription tells nobody but us. Each in the words of its readers.
const LOST = {
  ja: ["通知が止まりました", "ここを押して、もう一度登録してください。", "/register/"],
  en: ["Notifications have stopped", "Tap here to register again.", "/en/register/"],
  zh: ["通知已停止", "请点击这里，重新登记。", "/zh-hans/register/"],
  ko: ["알림이 중지되었습니다", "여기를 눌러 다시 등록해 주세요.", "/ko/register/"],
};
const NEWS = { title: "お知らせ / News", body: "", url: "/", tag: "news", lang: "ja" };

const read = (data) => {
  try {
    return { ...NEWS, ...data.json() };
  } catch {
    // A browser that shows nothing for a message takes our permission away.
    return NEWS;
  }
};

// Pages of ours alone are opened.
const ours = (url) => {
  const place = new URL(url, self.location.origin);
  return place.origin === self.location.origin ? place.href : self.location.origin;
};

const show = ({ title, body, url, tag, lang }) =>
  self.registration.showNotification(title, { body, tag, lang, renotify: true, data: { url } });

// Pages, by their path, with what they are drawn with. A new number forgets those of before.
const CACHE = "pages-1";
const MOST = 90;
// Milliseconds until what was kept is shown in place of what does not come.
const PATIENCE = 4000;

// What stands above a page that was kept: of when it is; or that another was asked for.
const KEPT = {
  "/": ["ja", "つながらないため、{at}に読み込んだ内容を出しています。", "このページは、この端末に残っていません。はじめのページを出しています。"],
  "/easy/": ["ja", "いま インターネットに つながりません。これは {at}の ページです。", "この ページは いま みる ことが できません。はじめの ページを だして います。"],
  "/en/": ["en", "You are offline. This is what the page said on {at}.", "That page is not kept on this device. This is the front page."],
  "/zh-hans/": ["zh-Hans", "目前无法连接。以下是{at}时的内容。", "该页面未保存在本设备上，现显示首页。"],
  "/ko/": ["ko", "지금 연결할 수 없습니다. {at}에 받은 내용입니다.", "이 페이지는 기기에 저장되어 있지 않습니다. 첫 화면을 보여 드립니다."],
};
const home = (path) => Object.keys(KEPT).find((prefix) => prefix !== "/" && path.startsWith(prefix)) ?? "/";

// What the application answers is a person's, and says that nobody may store it.
const isPublic = (answer) => answer.ok && !answer.redirected
  && answer.headers.get("content-type")?.startsWith("text/html")
  && !/no-store/.test(answer.headers.get("cache-control") ?? "");

const keep = async (path, answer) => {
  const cache = await caches.open(CACHE);
  const parts = (await answer.clone().text()).match(/\/assets\/[\w.-]+/g) ?? [];
  const missing = [];
  for (const part of new Set(parts)) {
    if (!await cache.match(part)) missing.push(part);
  }
  await cache.addAll(missing);
  // The newest last: what was not read for longest goes first.
  await cache.delete(path);
  await cache.put(path, answer);
  const all = await cache.keys();
  await Promise.all(all.slice(0, Math.max(all.length - MOST, 0)).map((one) => cache.delete(one)));
};

const fetchAndKeep = async (path) => {
  const answer = await fetch(path, { cache: "no-cache" });
  if (isPublic(answer)) await keep(path, answer);
};

const told = async (kept, path, also) => {
  const [lang, of, instead] = KEPT[home(path)];
  const form = { month: "long", day: "numeric", hour: "2-digit", minute: "2-digit" };
  const at = new Date(kept.headers.get("date") ?? Date.now()).toLocaleString(lang, form);
  const lines = [...(also ? [instead] : []), of.replace("{at}", at)];
  const said = `<div class="wrap">${lines.map((line) => `<p>${line}</p>`).join("")}</div>`;
  // First of all: what follows may say that nothing is the matter.
  const body = (await kept.text()).replace("<header", `<div class="kept" role="status">${said}</div><header`);
  return new Response(body, { headers: kept.headers });
};

const page = async (event, path) => {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(path);
  const fresh = fetch(event.request).then((answer) => {
    if (isPublic(answer)) event.waitUntil(keep(path, answer.clone()).catch(() => {}));
    // What the city has taken down is not shown from here, either.
    if (answer.status === 404 || answer.status === 410) event.waitUntil(cache.delete(path));
    return answer;
  });
  const late = kept && new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const answer = await Promise.race([fresh, ...(late ? [late] : [])]).catch(() => null);
  if (answer && (!kept || answer.status < 500)) return answer;
  fresh.catch(() => {});
  if (kept) return told(kept, path, false);
  const first = await cache.match(home(path));
  return first ? told(first, path, true) : fresh;
};

const part = async (request) => await (await caches.open(CACHE)).match(request) ?? fetch(request);

self.addEventListener("fetch", (event) => {
  const { pathname, origin, search } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin || search) return;
  if (pathname.startsWith("/staff/")) return;
  if (event.request.mode === "navigate") event.respondWith(page(event, pathname));
  else if (pathname.startsWith("/assets/")) event.respondWith(part(event.request));
});

// A page names those that must be here when nothing can be reached.
self.addEventListener("message", (event) => event.waitUntil((async () => {
  const cache = await caches.open(CACHE);
  for (const path of event.data.keep) {
    if (!await cache.match(path)) await fetchAndKeep(path).catch(() => {});
  }
})()));

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  const others = (await caches.keys()).filter((name) => name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
  await self.clients.claim();
})()));

// What a notification tells can be read later, too, where nothing can be reached any more.
self.addEventListener("push", (event) => {
  const news = read(event.data);
  const { pathname } = new URL(ours(news.url));
  const kept = [pathname, home(pathname)].map((path) => fetchAndKeep(path).catch(() => {}));
  event.waitUntil(Promise.all([show(news), ...kept]));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = ours(event.notification.data?.url ?? "/");
  event.waitUntil((async () => {
    const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const open = windows.find((page) => page.url === url);
    return open ? open.focus() : self.clients.openWindow(url);
  })());
});

// A page can only be opened by a person's tap: the register page is one tap away.
self.addEventListener("pushsubscriptionchange", (event) => {
  const lang = navigator.language.slice(0, 2);
  const [title, body, url] = LOST[lang] ?? LOST.en;
  event.waitUntil(show({ title, body, url, tag: "lost", lang: LOST[lang] ? lang : "en" }));
});
