// input[type=file][data-max-bytes]: a file that would be refused is told at once and does not go over the line first.
// The server judges by itself; this only spares the wait.
//   data-max-bytes   the largest file that is kept      data-room   how many more may be added
//   data-too-large, data-too-many   what is said; {names} becomes the names of the files that were left out
// What is said stands in the next [data-left-out], a role=alert that is there from the start.

for (const input of document.querySelectorAll("input[type=file][data-max-bytes]")) {
  const place = input.closest("fieldset, .field").querySelector("[data-left-out]");
  input.addEventListener("change", () => {
    const largest = Number(input.dataset.maxBytes);
    const fitting = [...input.files].filter((file) => file.size <= largest);
    const left = {
      tooLarge: [...input.files].filter((file) => file.size > largest),
      tooMany: fitting.splice(Number(input.dataset.room)),
    };
    const kept = new DataTransfer();
    for (const file of fitting) kept.items.add(file);
    if (kept.files.length !== input.files.length) input.files = kept.files;
    const said = Object.entries(left)
      .filter(([, files]) => files.length)
      .map(([why, files]) => input.dataset[why].replace("{names}", () => files.map((file) => file.name).join(", ")));
    place.replaceChildren();
    for (const words of said) {
      const line = document.createElement("p");
      line.className = "error";
      line.textContent = words;
      place.append(line);
    }
    said.length ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
  });
}
