// A job's page looks again by itself until the job is over. Without scripts the page does so whole, in <noscript>.
//   [data-job]            what is taken anew; data-code says its state, data-job-open stands while it is not over
//   [data-job-sentence]   what is said of it; [data-job-said]  where it is said aloud, only when the state changes
// The bar and the numbers move silently: a listener is told what matters, once.

const SOONEST = 1500;
const LATEST = 10000;
let pause = SOONEST;

const part = () => document.querySelector("[data-job]");
const said = document.querySelector("[data-job-said]");

async function look() {
  const before = part();
  if (!before?.hasAttribute("data-job-open")) return;
  try {
    const answer = await fetch(location.href, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (!answer.ok) throw new Error(answer.status);
    const made = document.createElement("template");
    made.innerHTML = await answer.text();
    const now = made.content.querySelector("[data-job]");
    if (!now) throw new Error("no job");
    const changed = now.dataset.code !== before.dataset.code;
    // Whoever stands on a link in it stays where they are.
    const held = before.contains(document.activeElement) && document.activeElement.closest("[data-job-again]");
    before.replaceWith(now);
    if (held) (now.querySelector("[data-job-again] a") ?? now.querySelector("a"))?.focus();
    if (changed) {
      if (said) said.textContent = now.querySelector("[data-job-sentence]")?.textContent ?? "";
      pause = SOONEST;
    } else pause = Math.min(LATEST, pause * 1.2);
  } catch {
    pause = LATEST;
  }
  setTimeout(look, pause);
}
setTimeout(look, pause);
