// form[data-autosave] keeps each answer while a person writes. It posts one field at a time and says when it
// was kept; with scripts off, the form's own button does the same.
//   data-autosave        address of the POST
//   data-autosave-key    whose draft this is ("<subject>:<sitting>"): drafts of two people never mix
//   data-saving          words while sending            ("Saving…")
//   data-kept            words when it could not be sent ("Not sent yet. What you wrote is kept on this device.")
//   data-restored        words when a draft came back    ("Your unsent words are back. Sending them…")
//   data-saved-at        what the server last kept, as any text that changes with it (a time, a number)
//   [data-saved]         the role=status element that says it, inside the field's .ask / fieldset, or the form
//   [data-manual]        what is only needed without scripts (the Save button); it is hidden
// Sent as a form is: field, value (repeated for several choices), client_id (a UUID, the same in each retry of
// the same words), csrfmiddlewaretoken, and every hidden input of the form. Answered by JSON {"saved_at_text": "Saved 2:41 p.m."};
// a 4xx answer may carry {"message": "…"}: it is shown, the words stay on the device, and nothing is retried.

const WAITS = [2, 5, 15, 30, 60]; // seconds
const hex = (digit) => (digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (digit / 4)))).toString(16);
// randomUUID is only there on a secure origin; a trial on a local network has none.
const uuid = () => crypto.randomUUID?.() ?? "10000000-1000-4000-8000-100000000000".replace(/[018]/g, hex);

for (const form of document.querySelectorAll("form[data-autosave]")) {
  let stored = true; // whether this device keeps the words until they are sent
  const state = new Map(); // field name → {id, timer, tries, sending}
  const keyOf = (name) => `draft:${form.dataset.autosaveKey}:${name}`;
  const inputs = (name) => [...form.elements].filter((input) => input.name === name);
  const values = (name) =>
    inputs(name).flatMap((input) => {
      if (["radio", "checkbox"].includes(input.type)) return input.checked ? [input.value] : [];
      return [input.value];
    });
  const store = (name, draft) => {
    try {
      draft ? localStorage.setItem(keyOf(name), JSON.stringify(draft)) : localStorage.removeItem(keyOf(name));
      stored = true;
    } catch {
      stored = false; // a full or closed store: the page itself still holds the words
    }
  };
  const say = (name, words, kind) => {
    const near = inputs(name)[0]?.closest(".ask, fieldset, .field");
    const place = near?.querySelector("[data-saved]") || form.querySelector("[data-saved]");
    if (!place) return;
    (place.querySelector("span") || place).textContent = words;
    place.className = `state ${kind}`;
  };

  async function send(name) {
    const field = state.get(name);
    clearTimeout(field.timer);
    if (field.sending) return;
    const id = field.id;
    field.sending = true;
    // Not FormData, whose parts are heavier on the line and several times the work for the server.
    const body = new URLSearchParams();
    for (const hidden of form.querySelectorAll("input[type=hidden]")) body.append(hidden.name, hidden.value);
    body.set("client_id", id);
    body.set("field", name);
    // Lines end as they do where a form is sent, so that the same words are the same.
    for (const value of values(name)) body.append("value", value.replace(/\r\n?|\n/g, "\r\n"));
    say(name, form.dataset.saving, "none");
    let answer = null;
    try {
      // Goes on when the page is left meanwhile; browsers allow that for 64 kB at most.
      const keepalive = body.toString().length < 60000;
      answer = await fetch(form.dataset.autosave, { method: "POST", body, keepalive, headers: { Accept: "application/json" } });
    } catch {}
    field.sending = false;
    if (answer?.ok && !answer.redirected) {
      const said = await answer.json().catch(() => ({}));
      field.tries = 0;
      if (field.id !== id) return send(name); // written on while this was on its way
      field.dirty = false;
      store(name, null);
      return say(name, said.saved_at_text || "", "ok");
    }
    if (answer && answer.status >= 400 && answer.status < 500 && ![408, 425, 429].includes(answer.status)) {
      const said = await answer.json().catch(() => ({}));
      return say(name, said.message || form.dataset.kept, "wait");
    }
    say(name, form.dataset.kept, "wait");
    field.timer = setTimeout(send, 1000 * WAITS[Math.min(field.tries++, WAITS.length - 1)], name);
  }

  function changed(name, wait) {
    const field = state.get(name) || { tries: 0 };
    state.set(name, field);
    field.id = uuid();
    field.dirty = true;
    store(name, { id: field.id, values: values(name), base: form.dataset.savedAt });
    clearTimeout(field.timer);
    field.timer = setTimeout(send, wait, name);
  }

  const written = (event, wait) => {
    const { name, type } = event.target;
    if (name && !["hidden", "file", "submit"].includes(type)) changed(name, wait);
  };
  form.addEventListener("input", (event) => written(event, ["radio", "checkbox"].includes(event.target.type) ? 0 : 1200));
  // Not at once: a press on a button takes the focus away first, and a line that grows would move it from the finger.
  form.addEventListener("change", (event) => state.get(event.target.name)?.dirty && written(event, 400));
  // The form itself carries the words now: the draft is kept until the server is seen to have taken something.
  form.addEventListener("submit", () =>
    state.forEach((field, name) => {
      clearTimeout(field.timer);
      if (field.dirty) store(name, { id: field.id, values: values(name), base: form.dataset.savedAt, sent: true });
    }),
  );
  addEventListener("online", () => state.forEach((field, name) => field.timer && send(name)));
  // What this device keeps comes back and is sent, so nobody is asked whether to leave; else words could be lost.
  addEventListener("beforeunload", (event) => {
    if (!stored && [...state.values()].some((field) => field.dirty)) event.preventDefault();
  });
  for (const manual of form.querySelectorAll("[data-manual]")) manual.hidden = true;

  // Words that a lost connection or a closed page left behind come back, and are sent.
  for (const name of new Set([...form.elements].map((input) => input.name).filter(Boolean))) {
    let draft = null;
    try {
      draft = JSON.parse(localStorage.getItem(keyOf(name)));
    } catch {}
    if (draft?.sent && draft.base !== form.dataset.savedAt) store(name, (draft = null));
    if (!draft) continue;
    for (const input of inputs(name)) {
      if (["radio", "checkbox"].includes(input.type)) input.checked = draft.values.includes(input.value);
      else input.value = draft.values[0];
    }
    state.set(name, { id: draft.id, tries: 0, dirty: true });
    say(name, form.dataset.restored, "wait");
    send(name);
  }
}
