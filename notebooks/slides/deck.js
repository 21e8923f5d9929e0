// Letters, and a player, are as large as the slide has room for; a picture takes what is left.
const WIDTH = 1280, HEIGHT = 720;

const LETTERS = { from: 30, to: 22, step: 1 }, SMALLER = { from: 30, to: 18, step: 1 };  // pixels; code is a little less
const ZOOM = { from: 2, to: 0.6, step: 0.02 };

function fits(slide) {
  const wide = Array.from(slide.querySelectorAll("pre, .mfp-scroll"));
  return slide.scrollHeight <= HEIGHT && wide.every(part => part.scrollWidth <= part.clientWidth + 1);
}

function largest(slide, sizes, set) {
  for (let size = sizes.from; size >= sizes.to; size -= sizes.step) {
    set(size);
    if (fits(slide)) return true;
  }
  return false;
}

// Before letters become too small to be read, long lines are broken.
function fit(slide) {
  const letters = size => slide.style.setProperty("--size", `${size}px`);
  if (!largest(slide, LETTERS, letters)) {
    slide.classList.add("broken-lines");
    largest(slide, SMALLER, letters);
  }
  for (const player of slide.querySelectorAll(".mfp"))
    largest(slide, ZOOM, zoom => { player.style.zoom = zoom; });
}

// The arrow keys go through the slides, and so do PageDown and the space bar, which a presenter's remote sends.
Reveal.initialize({
  width: WIDTH, height: HEIGHT, margin: 0, center: false, display: "flex", transition: "none", navigationMode: "linear",
  hash: true, controls: false, progress: true, slideNumber: "c/t", plugins: [RevealNotes],
});
Reveal.on("ready", event => fit(event.currentSlide));
Reveal.on("slidechanged", event => fit(event.currentSlide));
