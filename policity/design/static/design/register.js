// Offers notifications where the browser can show them. Without this script there is mail.
const part = document.querySelector("[data-push]");

// The key as bytes: not every browser takes it as text.
const bytes = (text) => Uint8Array.from(
  atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));

const say = (what) => part.querySelectorAll("[data-when]").forEach((line) => {
  line.hidden = line.dataset.when !== what;
});

const subscribe = async () => {
  const options = { userVisibleOnly: true, applicationServerKey: bytes(part.dataset.push) };
  await navigator.serviceWorker.register("/sw.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  try {
    return await pushManager.subscribe(options);
  } catch (error) {
    // Bound to a key that the city no longer has: let go of it, and begin anew.
    const old = await pushManager.getSubscription();
    if (!old) throw error;
    await old.unsubscribe();
    return pushManager.subscribe(options);
  }
};

const allow = async (button, field) => {
  button.disabled = true;
  try {
    if (await Notification.requestPermission() !== "granted") {
      say("denied");
      return;
    }
    field.value = JSON.stringify(await subscribe());
    say("allowed");
    button.hidden = true;
    // Among the settings this is all there is to send; while registering it is not.
    if (field.form.action.endsWith("/push/")) field.form.submit();
  } catch {
    say("failed");
  } finally {
    button.disabled = false;
  }
};

if (part && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
  const button = part.querySelector("[data-allow]");
  const field = part.querySelector("[name=push]");
  part.hidden = false;
  // After an error elsewhere on the page the browser's word is still there.
  if (field.value && Notification.permission === "granted") {
    say("allowed");
    button.hidden = true;
  }
  button.addEventListener("click", () => allow(button, field));
}

// Where `autofocus` does not reach a summary of errors.
document.querySelector(".fault[autofocus]")?.focus();
