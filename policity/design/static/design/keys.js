// Passkeys (WebAuthn). The button in a block with data-key asks the browser for one, and sends what
// it answers with the form around it. Without this script, or at an address that is a number, the
// block stays hidden.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const listed = (some) => (some ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

const made = async ({ publicKey: wanted }) => {
  const key = await navigator.credentials.create({
    publicKey: {
      ...wanted,
      challenge: bytes(wanted.challenge),
      user: { ...wanted.user, id: bytes(wanted.user.id) },
      excludeCredentials: listed(wanted.excludeCredentials),
    },
  });
  return { key, response: {
    clientDataJSON: text(key.response.clientDataJSON),
    attestationObject: text(key.response.attestationObject),
    transports: key.response.getTransports?.() ?? [],
  } };
};

const shown = async ({ publicKey: asked }) => {
  const key = await navigator.credentials.get({
    publicKey: { ...asked, challenge: bytes(asked.challenge), allowCredentials: listed(asked.allowCredentials) },
  });
  const said = key.response;
  return { key, response: {
    clientDataJSON: text(said.clientDataJSON),
    authenticatorData: text(said.authenticatorData),
    signature: text(said.signature),
    userHandle: said.userHandle ? text(said.userHandle) : null,
  } };
};

const press = async (block, button) => {
  const { form } = button;
  const asks = new URLSearchParams({ csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
  if (block.dataset.second) asks.set("second", "1");
  const asked = await fetch(block.dataset.key, { method: "POST", body: asks, redirect: "error" });
  if (!asked.ok) throw new Error("asked");
  const { key, response } = await (block.dataset.makes ? made : shown)(await asked.json());
  form.elements.credential.value = JSON.stringify({
    id: key.id, rawId: text(key.rawId), type: key.type, response,
    authenticatorAttachment: key.authenticatorAttachment,
    clientExtensionResults: key.getClientExtensionResults(),
  });
  if (button.hasAttribute("formaction")) form.action = button.formAction;
  form.submit();
};

const named = !/^[\d.]+$|:/.test(location.hostname.replace(/[[\]]/g, ""));
for (const block of document.querySelectorAll("[data-key]")) {
  if (!window.PublicKeyCredential || !named) continue;
  const fault = block.querySelector("[data-fault]");
  const button = block.querySelector("button");
  block.hidden = false;
  document.querySelector("[data-no-key]")?.setAttribute("hidden", "");
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    fault.hidden = true;
    try {
      await press(block, button);
    } catch {
      fault.hidden = false;
    }
  });
}

document.querySelector("[data-print]")?.addEventListener("click", () => print());
