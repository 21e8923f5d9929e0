(function (name, names, pages) {
  "use strict";
  // Every position is worked out before: to move it only shows it. It touches nothing outside of its own block.
  for (const root of document.querySelectorAll(`[data-slider="${name}"]:not([data-on])`)) {
    const shown = root.lastElementChild.previousElementSibling, row = document.createElement("label");
    row.style.cssText = "display:flex;gap:10px;align-items:center;margin:4px 0";
    row.innerHTML = `<span></span><input type="range" min="0" step="1" value="0" style="width:280px"><output></output>`;
    const [label, range, output] = row.children;
    label.textContent = root.dataset.label;
    range.max = names.length - 1;
    const show = () => {
      output.textContent = names[range.value];
      range.setAttribute("aria-valuetext", names[range.value]);
      shown.innerHTML = pages[range.value];
    };
    // The page around has plans of its own for the arrow keys.
    range.addEventListener("keydown", event => { if (/^(Arrow|Home|End|Page)/.test(event.key)) event.stopPropagation(); });
    range.addEventListener("input", show);
    root.dataset.on = "";
    root.prepend(row);
    show();
  }
})
