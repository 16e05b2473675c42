// What every page gains where scripts run; nothing needs it.
//   [data-focus]          takes the focus when the page opens (the error summary)
//   [data-autosave]       loads autosave.js     form[data-once]   loads once.js
//   [data-copy]           loads copy.js         [data-video]      loads video.js
//   [data-max-bytes]      loads files.js
//   #messages data-offline data-online   what is said when the connection goes and comes back
// An open menu closes with Escape or a press outside it.

document.querySelector("[data-focus]")?.focus();

const menus = () => document.querySelectorAll("details.menu[open]");
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});

const place = document.getElementById("messages");
for (const event of ["offline", "online"])
  addEventListener(event, () => {
    if (!place?.dataset[event]) return;
    place.querySelector(".connection")?.remove();
    const note = document.createElement("div");
    note.className = `message connection ${event === "offline" ? "warning" : "success"}`;
    note.textContent = place.dataset[event];
    place.append(note);
  });

const has = (selector) => document.querySelector(selector);
if (has("[data-autosave]")) import("./autosave.js");
if (has("form[data-once]")) import("./once.js");
if (has("[data-copy]")) import("./copy.js");
if (has("[data-video]")) import("./video.js");
if (has("[data-max-bytes]")) import("./files.js");
