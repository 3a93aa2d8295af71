// The contact sheet: a row a frame, filled when it comes near the screen and emptied far from it.
"use strict";

(() => {
  const { data, names, make, has, picture, boxes, range } = Report;
  const kinds = ["plate", "trimap", "adapted", "alpha", "comp", "colours", "other", "difference"]
    .filter((kind) => data.frames.some((frame) => has(frame, kind)));
  const place = document.getElementById("sheet-frames");
  const count = document.getElementById("sheet-count");
  const chosen = document.getElementById("sheet-range");
  const said = document.getElementById("sheet-said");
  const colour = document.getElementById("over-colour");
  const first = [12, 24, 48, 96].filter((n) => n < data.frames.length);

  count.append(...first.map((n) => make("option", { value: String(n) }, `${n}, evenly`)),
    make("option", { value: "all" }, `all ${data.frames.length}`));
  for (const kind of kinds) {
    const tick = make("input", { type: "checkbox", value: kind, checked: kind !== "colours" });
    document.getElementById("sheet-kinds").append(make("label", {}, tick, " " + names[kind]));
  }

  function wanted() {
    if (chosen.value.trim()) {
      const numbers = range(chosen.value);
      chosen.setAttribute("aria-invalid", String(numbers === null));
      return numbers === null ? null : data.frames.filter((frame) => numbers.has(frame.n));
    }
    chosen.removeAttribute("aria-invalid");
    const most = count.value === "all" ? data.frames.length : Number(count.value);
    if (most >= data.frames.length) return data.frames;
    const step = (data.frames.length - 1) / (most - 1);
    return Array.from({ length: most }, (_, i) => data.frames[Math.round(i * step)]);
  }

  let shown = [];

  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const tiles = target.querySelector(".tiles");
      if (!isIntersecting) tiles.replaceChildren();
      else if (!tiles.firstChild) tiles.append(...tilesOf(data.frames[Number(target.dataset.place)]));
    }
  }, { rootMargin: "600px" });

  function tilesOf(frame) {
    return shown.map((kind) => make("button", {
      type: "button", className: "tile", "data-kind": kind,
      "aria-label": `Frame ${frame.n}, ${names[kind]}: open at full size`,
    }, picture(frame, kind), ...boxes(frame.n)));
  }

  function row(frame) {
    const title = make("h3", {}, make("a", { href: `#frame-${frame.n}` }, String(frame.n)));
    if (frame.bad) title.append(" ", make("strong", { className: "bad" }, frame.bad));
    const made = make("article", { className: "row" }, title, make("div", { className: "tiles" }));
    made.dataset.place = Report.places.get(frame.n);
    return made;
  }

  function draw() {
    const frames = wanted();
    if (frames === null) {
      said.textContent = "Write the frames like 1001-1020, 1001-1020x2 or 1001,1005.";
      return;
    }
    shown = [...document.querySelectorAll("#sheet-kinds input:checked")].map((tick) => tick.value);
    near.disconnect();
    place.style.setProperty("--columns", Math.max(1, shown.length));
    place.style.setProperty("--lines", Math.max(1, Math.ceil(shown.length / 2)));
    place.replaceChildren(...frames.map(row));
    for (const made of place.children) near.observe(made);
    said.textContent = `${frames.length} of ${data.frames.length} frames`;
  }

  function over() {
    const kind = document.querySelector("input[name=over]:checked").value;
    document.documentElement.dataset.over = kind;
    document.documentElement.style.setProperty("--over", colour.value);
  }

  place.addEventListener("click", (event) => {
    const tile = event.target.closest(".tile");
    if (tile) Viewer.open(data.frames[Number(tile.closest(".row").dataset.place)].n, tile.dataset.kind);
  });
  for (const part of [count, document.getElementById("sheet-kinds")]) part.addEventListener("change", draw);
  count.addEventListener("change", () => { chosen.value = ""; draw(); });
  chosen.addEventListener("change", draw);
  document.getElementById("sheet-form").addEventListener("submit", (event) => { event.preventDefault(); draw(); });
  for (const radio of document.querySelectorAll("input[name=over]")) radio.addEventListener("change", over);
  colour.value = data.comp;
  colour.addEventListener("input", () => {
    document.querySelector("input[name=over][value=colour]").checked = true;
    over();
  });
  over();
  draw();
})();
