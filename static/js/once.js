// form[data-once]: a second press while the first is on its way does nothing. The server refuses repeats by
// itself (each form carries a client-made id); this only spares the person a doubt.
//   data-once-label   words for the pressed button while it waits ("Handing in…")

for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    const button = event.submitter;
    if (!button) return;
    button.setAttribute("aria-disabled", "true"); // not `disabled`: its name and value must be sent
    if (form.dataset.onceLabel) {
      button.dataset.words = button.textContent;
      button.textContent = form.dataset.onceLabel;
    }
  });
}
// Back to a page kept by the browser: the form may be sent again.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-disabled]")) {
      button.removeAttribute("aria-disabled");
      if (button.dataset.words) button.textContent = button.dataset.words;
    }
  }
});
