// Letters, and a player, are as large as the slide has room for; a picture takes what is left.
const WIDTH = 1280, HEIGHT = 720;

function fits(slide) {
  const codes = Array.from(slide.querySelectorAll("pre"));
  return slide.scrollHeight <= HEIGHT && codes.every(code => code.scrollWidth <= code.clientWidth);
}

function largest(slide, sizes, set) {
  for (let size = sizes.from; size >= sizes.to; size -= sizes.step) {
    set(size);
    if (fits(slide)) return;
  }
}

function fit(slide) {
  largest(slide, { from: 30, to: 18, step: 1 }, size => slide.style.setProperty("--size", `${size}px`));
  for (const player of slide.querySelectorAll(".mfp"))
    largest(slide, { from: 2, to: 0.5, step: 0.02 }, zoom => { player.style.zoom = zoom; });
}

// The arrow keys go through the slides, and so do PageDown and the space bar, which a presenter's remote sends.
Reveal.initialize({
  width: WIDTH, height: HEIGHT, margin: 0, center: false, display: "flex", transition: "none", navigationMode: "linear",
  hash: true, controls: false, progress: true, slideNumber: "c/t", plugins: [RevealNotes],
});
Reveal.on("ready", event => fit(event.currentSlide));
Reveal.on("slidechanged", event => fit(event.currentSlide));
