// The shot over time: a line a figure, a bar a rule, a slider for the keyboard; and the film.
"use strict";

(() => {
  const { data, figures, make, said, worst } = Report;
  const rows = document.getElementById("rows");
  const slider = document.getElementById("time");
  const told = document.getElementById("time-said");
  const count = data.frames.length;
  const [WIDE, HIGH] = [1000, 60];
  const across = (place) => (count > 1 ? (place / (count - 1)) * WIDE : WIDE / 2);

  function draw(tag, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  function chart(label, ...shapes) {
    const svg = draw("svg", {
      viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": label,
    });
    data.frames.forEach((frame, place) => {
      const kind = frame.bad ? "lost" : worst.get(frame.n)?.severe ? "suspect" : "";
      if (kind) svg.append(draw("line", { class: kind, x1: across(place), x2: across(place), y1: 0, y2: HIGH }));
    });
    svg.append(...shapes, draw("line", { class: "cursor", x1: 0, x2: 0, y1: 0, y2: HIGH }));
    return svg;
  }

  // A line with a gap wherever a figure is not known; a single frame is a dot.
  function path(values, top) {
    let drawn = "", pen = false;
    values.forEach((value, place) => {
      if (value === undefined) { pen = false; return; }
      const point = `${across(place).toFixed(1)} ${(HIGH - 2 - (value / top) * (HIGH - 6)).toFixed(1)}`;
      drawn += pen ? `L${point}` : `M${point}h.01`;
      pen = true;
    });
    return draw("path", { d: drawn });
  }

  for (const [name, label, form] of figures) {
    const values = data.frames.map((frame) => frame.f && frame.f[name]);
    const known = values.filter((value) => value !== undefined);
    if (!known.length) {
      rows.append(make("p", { className: "line" }, make("span", {}, label), " not known"));
      continue;
    }
    const [least, most] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
    const where = data.frames[values.indexOf(most)].n;
    const words = `${label}: ${form(least)} to ${form(most)}, highest at ${where}`;
    const top = name === "confidence" ? 1 : most || 1;
    rows.append(make("div", { className: "line" },
      make("span", {}, label, make("small", {}, ` ${form(least)} to ${form(most)}`)),
      chart(words, path(values, top))));
  }

  data.rules.slice(0, 40).forEach((rule, index) => {
    const bars = [];
    let start = -1;
    for (let place = 0; place <= count; place += 1) {
      const on = place < count && (data.frames[place].r || []).includes(index);
      if (on && start < 0) start = place;
      if (!on && start >= 0) {
        const wide = Math.max(2, across(place - 1) - across(start));
        bars.push(draw("rect", { class: "rule", x: across(start), y: 20, width: wide, height: 20 }));
        start = -1;
      }
    }
    rows.append(make("div", { className: "line rules" },
      make("span", {}, "Rule ", make("bdi", {}, rule.id)),
      chart(`Override rule ${rule.id}: frames ${rule.frames}`, ...bars)));
  });
  if (data.rules.length > 40) rows.append(make("p", {}, `and ${data.rules.length - 40} more rules`));

  slider.max = Math.max(0, count - 1);
  slider.value = 0;

  function show() {
    const place = Number(slider.value);
    if (!data.frames[place]) return;
    told.textContent = said(data.frames[place]);
    slider.setAttribute("aria-valuetext", `frame ${data.frames[place].n}`);
    for (const line of rows.querySelectorAll(".cursor")) {
      line.setAttribute("x1", across(place));
      line.setAttribute("x2", across(place));
    }
  }

  function choose(event) {
    const svg = event.target.closest("svg");
    if (!svg || (event.type === "pointermove" && event.pointerType !== "mouse")) return;
    const room = svg.getBoundingClientRect();
    slider.value = Math.round(((event.clientX - room.left) / room.width) * (count - 1));
    show();
  }

  const look = () => data.frames.length && Viewer.open(data.frames[Number(slider.value)].n);
  slider.addEventListener("input", show);
  slider.addEventListener("keydown", (event) => { if (event.key === "Enter") look(); });
  rows.addEventListener("pointermove", choose);
  rows.addEventListener("click", (event) => { choose(event); if (event.target.closest("svg")) look(); });
  document.getElementById("time-open").addEventListener("click", look);
  show();

  const table = document.getElementById("table");
  table.addEventListener("toggle", () => {
    const place = table.querySelector(".scroll");
    if (!table.open || place.firstChild) return;
    const head = make("tr", {}, make("th", { scope: "col" }, "Frame"),
      ...figures.map(([, label]) => make("th", { scope: "col" }, label)),
      make("th", { scope: "col" }, "Rules"), make("th", { scope: "col" }, "State"));
    const lines = data.frames.map((frame) => make("tr", {},
      make("th", { scope: "row" }, make("a", { href: `#frame-${frame.n}` }, String(frame.n))),
      ...figures.map(([name, , form]) => make("td", {}, frame.f && name in frame.f ? form(frame.f[name]) : "")),
      make("td", {}, make("bdi", {}, (frame.r || []).map((i) => data.rules[i].id).join(", "))),
      make("td", {}, frame.bad || "")));
    place.append(make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines)));
  });

  const video = document.getElementById("video");
  if (video) {
    const now = () => data.film[Math.min(data.film.length - 1, Math.floor(video.currentTime * data.rate + 0.01))];
    const tell = () => { document.getElementById("video-said").textContent = `frame ${now()}`; };
    for (const event of ["timeupdate", "seeked", "loadedmetadata"]) video.addEventListener(event, tell);
    document.getElementById("video-open").addEventListener("click", () => { video.pause(); Viewer.open(now(), "alpha"); });
  }
})();
