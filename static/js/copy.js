// button[data-copy]: copies the text of that attribute, or of the element it names when it begins with "#".
//   data-copied   what the button says afterwards, for three seconds ("Address copied")
// The button stays hidden (`hidden`) where scripts or the clipboard are not to be had.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const words = button.textContent;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const from = button.dataset.copy;
    await navigator.clipboard.writeText(from[0] === "#" ? document.querySelector(from).textContent.trim() : from);
    button.textContent = button.dataset.copied || words;
    setTimeout(() => (button.textContent = words), 3000);
  });
}
