(function (name, data) {
  "use strict";
  // Everything is worked out before: this shows a moment of a story. It touches nothing outside of its own block.
  const share = number => data.shared[number];
  const base = data.stories[0];
  const seconds = 0.9; // a moment, when it plays

  // A story's marks and moments: those of the base as far as they are the same, then its own.
  const whole = (story, place, part) => {
    const own = story.panels[place][part];
    return story === base ? own : base.panels[place][part].slice(0, own[0]).concat(own.slice(1));
  };

  const controls = `<div class="mfp-rail" aria-hidden="true"></div>
    <input class="mfp-range" type="range" min="0" step="1" aria-label="moment">
    <div class="mfp-buttons"><button type="button" class="mfp-play">Play</button>
    <button type="button" class="mfp-less" aria-label="one event back">‹</button>
    <button type="button" class="mfp-more" aria-label="one event on">›</button><span class="mfp-count"></span>
    <button type="button" class="mfp-fork">and if it crashed here?</button>
    <button type="button" class="mfp-back" hidden>back to the run</button><span class="mfp-why"></span></div>`;
  const keys = " Keys: ← → one event, Home, End, space plays, c crashes here, Esc goes back.";

  const made = (tag, kind, text) => {
    const element = document.createElement(tag);
    element.className = kind;
    element.textContent = text;
    return element;
  };

  // Without scripts none of this would do anything, so it is not in the page.
  function furnish(root) {
    const panel = made("div", "mfp-controls", ""), live = made("div", "mfp-live", "");
    panel.innerHTML = controls;
    live.setAttribute("role", "status");
    live.setAttribute("aria-live", "polite");
    root.querySelector(".mfp-sides").before(panel);
    root.querySelector(".mfp-panel").before(made("div", "mfp-note", ""));
    root.querySelector(".mfp-small").append(made("span", "", keys));
    root.append(live);
  }

  function start(root) {
    furnish(root);
    const all = (what, within = root) => Array.from(within.querySelectorAll(".mfp-" + what));
    const one = (what, within = root) => within.querySelector(".mfp-" + what);
    const panels = all("panel").map(panel => ({
      title: one("title", panel), labels: one("labels", panel), svg: one("svg", panel), ground: one("ground", panel),
      marks: one("marks", panel), band: one("band", panel), dim: one("dim", panel), veil: one("veil", panel),
      scroll: one("scroll", panel),
    }));
    const sides = all("side").map(side => ({
      said: one("said", side), verdict: one("verdict", side), codes: all("code", side), lines: all("line", side),
      tables: Array.from(side.querySelectorAll("tbody")), shown: [], lit: [],
    }));
    const range = one("range"), play = one("play"), fork = one("fork"), back = one("back");
    let story = base, moments = base.panels.map(panel => panel.moments), moment = base.length, origin = 0, timer = null;

    function enter(next, at) {
      story = next;
      moments = story.panels.map((_, place) => whole(story, place, "moments"));
      story.panels.forEach((panel, place) => draw(panel, panels[place], whole(story, place, "marks")));
      range.max = story.length;
      rail();
      const note = one("note");
      note.textContent = share(story.note);
      note.hidden = back.hidden = story === base;
      fork.hidden = story !== base;
      show(at);
    }

    function draw(panel, on, marks) {
      on.title.textContent = share(panel.title);
      on.title.className = "mfp-title mfp-" + panel.mood;
      on.labels.innerHTML = share(panel.labels);
      on.ground.innerHTML = share(panel.ground);
      on.marks.innerHTML = marks.map(([drawn, x, y]) => `<g transform="translate(${x} ${y})">${share(drawn)}</g>`).join("");
      on.svg.setAttribute("width", story.width);
      on.svg.setAttribute("aria-label", share(panel.title));
      for (const svg of [on.svg, on.labels]) svg.setAttribute("height", panel.height);
      on.band.setAttribute("height", panel.height - 4);
      on.veil.setAttribute("height", panel.height);
    }

    function rail() {
      const put = (at, text, kind) => {
        const label = made("span", kind, text);
        label.style.left = `${100 * at / story.length}%`;
        one("rail").append(label);
      };
      one("rail").textContent = "";
      const parted = story.parted, left = parted > story.length / 2;
      story.crashes.forEach(at => put(at, "✖", ""));
      if (parted !== null) put(parted, "they part here", "mfp-parted" + (left ? " mfp-leftwards" : ""));
    }

    function show(at) {
      moment = Math.max(0, Math.min(story.length, at));
      root.dataset.moment = moment;
      const told = story.panels.map((panel, place) => {
        const steps = moments[place], now = Math.min(moment, steps.length - 1);
        const [said, verdict, places, tables, lanes, panes] = share(steps[now]);
        light(panels[place], panel, now, steps.length - 2, lanes);
        tell(sides[place], said, verdict, places, tables, panes);
        return (panels.length > 1 ? share(panel.title).split(":")[0] + ": " : "") + share(said) + ". " + share(verdict);
      });
      range.value = moment;
      range.setAttribute("aria-valuetext", `moment ${moment} of ${story.length}`);
      one("count").textContent = `moment ${moment} of ${story.length}`;
      one("live").textContent = told.join(" ");
      const there = story === base && data.forks[moment] !== null;
      fork.disabled = !there;
      one("why").textContent = story === base && !there ? share(data.why[moment]) : "";
    }

    // What is to come is veiled, what happens now has a band behind it, the lane of a worker that crashes is dim.
    function light(on, panel, now, last, lanes) {
      const x = story.x, acting = now > 0 && now <= last, edge = now > last ? story.width : x[now];
      on.band.setAttribute("x", acting ? x[now - 1] - 4 : 0);
      on.band.setAttribute("width", acting ? x[now] - x[now - 1] - 2 : 0);
      on.veil.setAttribute("x", edge);
      on.veil.setAttribute("width", now >= last ? 0 : story.width - edge);
      on.dim.setAttribute("d", lanes.map(lane => `M0 ${panel.lanes[lane]}H${x[now - 1] - 4}`).join(""));
      on.now = x[now];
      follow(on);
    }

    function follow(on) {
      const wider = story.width > on.scroll.clientWidth;
      if (wider) on.scroll.scrollLeft = on.now - 0.7 * on.scroll.clientWidth;
      on.scroll.tabIndex = wider ? 0 : -1; // what scrolls is reached by keys, and what does not is no stop on the way
    }

    function tell(side, said, verdict, places, tables, panes) {
      side.said.textContent = share(said);
      side.verdict.textContent = share(verdict);
      side.verdict.className = "mfp-verdict mfp-" + (share(verdict).startsWith("✖") ? "bad" : "quiet");
      side.codes.forEach((code, place) => code.classList.toggle("mfp-dark", panes.includes(place)));
      if (side.places !== places) placed(side, share(places));
      side.places = places;
      share(tables).forEach((rows, place) => {
        if (side.shown[place] !== rows) side.tables[place].replaceChildren(...share(rows).map(row));
        side.shown[place] = rows;
      });
    }

    function placed(side, places) {
      for (const line of side.lines) {
        if (!line.firstChild.firstChild) continue;
        line.firstChild.textContent = "";
        line.classList.remove("mfp-now");
        line.removeAttribute("aria-current");
      }
      for (const [chip, at, mode, resource] of places) {
        const line = side.lines[at];
        line.firstChild.append(made("b", "mfp-chip" + mode, chip));
        if (mode !== 2) continue;
        line.classList.add("mfp-now");
        line.setAttribute("aria-current", "step");
        line.style.setProperty("--mfp-c", data.colours[resource]);
      }
    }

    function row([label, value, change]) {
      const tr = made("tr", "mfp-" + change, "");
      for (const text of [change && "●", label, value]) tr.insertCell().textContent = text;
      return tr;
    }

    function stop() {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
    }

    function toggle() {
      if (timer) return stop();
      if (moment === story.length) show(0);
      play.textContent = "Pause";
      timer = setInterval(() => {
        if (!root.isConnected || moment >= story.length) return stop();
        show(moment + 1);
        if (moment >= story.length) stop();
      }, 1000 * seconds);
    }

    const go = at => { stop(); show(at); };
    const crash = () => {
      if (story !== base || data.forks[moment] === null) return;
      stop();
      origin = moment;
      enter(data.stories[data.forks[moment]], moment + 1);
      if (document.activeElement === fork || document.activeElement === document.body) root.focus({ preventScroll: true });
    };
    const leave = () => { stop(); if (story !== base) enter(base, origin); };

    range.addEventListener("input", () => go(+range.value));
    play.addEventListener("click", toggle);
    fork.addEventListener("click", crash);
    back.addEventListener("click", leave);
    one("less").addEventListener("click", () => go(moment - 1));
    one("more").addEventListener("click", () => go(moment + 1));
    panels.forEach(on => on.svg.addEventListener("click", event => {
      const box = on.svg.getBoundingClientRect();
      const x = (event.clientX - box.left) * story.width / box.width; // a slide shows it larger than it is
      go(story.x.filter(edge => edge - 4 <= x).length);
    }));
    root.addEventListener("keydown", event => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const pressed = event.target.tagName === "BUTTON";
      const keys = {
        ArrowLeft: () => go(moment - 1), ArrowRight: () => go(moment + 1), Home: () => go(0),
        End: () => go(story.length), " ": pressed ? null : toggle, c: crash, Escape: leave,
      };
      const act = keys[event.key];
      if (!act) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    });
    root.dataset.on = "";
    enter(base, base.length);
    const sized = new ResizeObserver(() => panels.forEach(follow)); // a window made narrower, a slide made to fit
    panels.forEach(on => sized.observe(on.scroll));
  }

  for (const root of document.querySelectorAll(`[data-mfp="${name}"]:not([data-on])`)) start(root);
})
