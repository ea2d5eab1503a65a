// Shows what the city sends, and opens the page that tells more. It keeps nothing, and answers no
// request: pages come from the city itself.

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

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));

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
