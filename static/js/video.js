// a[data-video]: a link to a video file that plays in place once it is pressed; nothing is fetched before.
//   href             the video, or an address to show in a frame when data-video="frame"
//   data-captions    addresses of WebVTT captions, "en /a.vtt|fr /b.vtt"; the page's language is shown
//   data-title       the name of the player for screen readers
// Without scripts the link opens the video itself.

for (const link of document.querySelectorAll("a[data-video]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const frame = link.dataset.video === "frame";
    const player = document.createElement(frame ? "iframe" : "video");
    player.src = link.href;
    player.title = link.dataset.title || "";
    if (frame) player.allowFullscreen = true;
    else {
      player.controls = true;
      for (const entry of (link.dataset.captions || "").split("|").filter(Boolean)) {
        const [language, address] = entry.split(" ");
        const track = Object.assign(document.createElement("track"), { kind: "captions", srclang: language, src: address, label: language });
        track.default = language === document.documentElement.lang;
        player.append(track);
      }
    }
    link.replaceWith(player);
    player.tabIndex = -1;
    player.focus();
    if (!frame) player.play();
  });
}
