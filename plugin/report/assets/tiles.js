// What all parts share: the data, and elements that show a picture of a frame.
// Texts are set as text, never as markup.
"use strict";

const Report = (() => {
  const data = window.ADAMATTE;
  const letters = { plate: "p", alpha: "a", trimap: "t", adapted: "d", colours: "c" };
  const names = {
    plate: "plate", trimap: "trimap", adapted: "adapted trimap", alpha: "alpha", comp: "comp",
    colours: "foreground", other: "alpha, other run", difference: "difference",
    band: "trimap and edge on plate", change: "change from frame before",
  };
  const places = new Map(data.frames.map((frame, place) => [frame.n, place]));
  const worst = new Map(data.worst.map((one) => [one.n, one]));
  document.documentElement.style.setProperty("--aspect", data.aspect);

  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element && name !== "list") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  // Where a picture is: a file, or one of the pictures that a sprite has below each other, each
  // with its edge repeated around it; all in heights of a picture.
  function source(frame, kind, full) {
    if (full && frame.u && frame.u[kind]) return { src: frame.u[kind], count: 1, place: 0 };
    const [held, rows] = frame.p ? frame.p.split(".")[2].split("-") : [""];
    const place = letters[kind] ? held.indexOf(letters[kind]) : -1;
    const [pitch, gutter] = rows ? [Math.ceil((Number(rows) + 8) / 16) * 16 / rows, 4 / rows] : [1, 0];
    if (place >= 0) {
      return { src: "frames/" + frame.p, count: held.length * pitch, place: place * pitch + gutter };
    }
    return frame.u && frame.u[kind] ? { src: frame.u[kind], count: 1, place: 0 } : null;
  }

  function before(frame) {
    const other = data.frames[places.get(frame.n) - 1];
    return other && other.n === frame.n - 1 && source(other, "alpha", true) ? other : null;
  }

  function has(frame, kind) {
    if (kind === "band") return has(frame, "plate") && has(frame, "trimap") && has(frame, "alpha");
    if (kind === "change") return has(frame, "alpha") && before(frame) !== null;
    if (kind !== "comp") return source(frame, kind, true) !== null;
    return has(frame, "alpha") && (has(frame, "colours") || has(frame, "plate"));
  }

  function isFull(frame, kind) {
    if (kind === "comp" || kind === "band") return isFull(frame, "alpha") && isFull(frame, "plate");
    if (kind === "change") return isFull(frame, "alpha") && isFull(before(frame), "alpha");
    return Boolean(frame.u && frame.u[kind]);
  }

  function image(frame, kind, full, alt, className) {
    const { src, count, place } = source(frame, kind, full);
    const picture = make("img", { alt, className, loading: "lazy", decoding: "async" });
    picture.style.setProperty("--count", count);
    picture.style.setProperty("--place", place);
    picture.src = src;
    return picture;
  }

  // The comp is put together by the browser: front × alpha + behind × (1 − alpha), in 8 bits.
  function comp(frame, full, alt) {
    const front = has(frame, "colours") ? "colours" : "plate";
    return make("span", { className: "comp", role: "img", "aria-label": alt },
      image(frame, "alpha", full, "", "behind"),
      make("span", { className: "lit" },
        image(frame, front, full, "", ""), image(frame, "alpha", full, "", "cut")));
  }

  // What is definite is tinted, red beyond the band and green within it; the matte's edge is drawn.
  function band(frame, full, alt) {
    const labels = image(frame, "trimap", full, "", "labels");
    const edge = image(frame, "alpha", full, "", "contour");
    [labels.style.filter, edge.style.filter] = ["url(#labels)", "url(#contour)"];
    return make("span", { className: "band", role: "img", "aria-label": alt },
      image(frame, "plate", full, "", ""), labels, edge);
  }

  // |α − α of the frame before|, four times as strong; both at one size.
  function change(frame, full, alt) {
    const whole = full && isFull(frame, "change");
    return make("span", { className: "change", role: "img", "aria-label": alt },
      image(before(frame), "alpha", whole, "", ""), image(frame, "alpha", whole, "", "minus"));
  }

  function picture(frame, kind, full = false) {
    const alt = `${names[kind]} of frame ${frame.n}`;
    if (!has(frame, kind)) {
      const why = frame.error || frame.bad || "not kept";
      return make("span", { className: frame.bad ? "none bad" : "none" }, `no ${names[kind]}: ${why}`);
    }
    const made = { comp, band, change }[kind];
    return made ? made(frame, full, alt) : image(frame, kind, full, alt, "");
  }

  function box(corners) {
    const [left, top, right, bottom] = corners;
    const drawn = make("span", { className: "box" });
    drawn.style.left = `${(100 * left) / data.width}%`;
    drawn.style.top = `${(100 * top) / data.height}%`;
    drawn.style.width = `${(100 * (right - left)) / data.width}%`;
    drawn.style.height = `${(100 * (bottom - top)) / data.height}%`;
    return drawn;
  }

  function boxes(number) {
    const one = worst.get(number);
    return one ? one.reasons.filter((reason) => reason.box).map((reason) => box(reason.box)) : [];
  }

  function share(value) {
    const percent = 100 * value;
    return `${percent >= 9.5 ? percent.toFixed(0) : Number(percent.toPrecision(2))} %`;
  }

  const figures = [
    ["unknown", "Unknown share", share],
    ["overruled", "Overruled by AdaMatting", share],
    ["flicker", "Flicker", share],
    ["holes", "See-through inside", share],
    ["halo", "Rim of the old background", (value) => `${Number(value.toPrecision(2))} px`],
    ["eaten", "Edge eaten into", (value) => `${Number(value.toPrecision(2))} px`],
    ["clipped", "Cut off by the band", share],
    ["through", "What lies behind, seen inside", share],
    ["nothing", "Unknown that came to nothing", share],
    ["soft", "Softness of the edge", (value) => `${Number(value.toPrecision(3))} px`],
    ["confidence", "Segmentation's confidence", share],
    ["seconds", "Time of the frame", (value) => `${Number(value.toPrecision(3))} s`],
  ];

  function said(frame) {
    const parts = [String(frame.n)];
    if (frame.bad) parts.push(`${frame.bad}${frame.error ? ": " + frame.error : ""}`);
    for (const [name, label, form] of figures) {
      if (frame.f && name in frame.f) parts.push(`${label[0].toLowerCase()}${label.slice(1)} ${form(frame.f[name])}`);
    }
    if (frame.r) parts.push(`rules ${frame.r.map((place) => data.rules[place].id).join(", ")}`);
    return parts.join(" · ");
  }

  // `1001-1020x2,1030` as a set of numbers; null where it cannot be read.
  function range(text) {
    const found = new Set();
    for (const part of text.replace(/\s/g, "").split(",")) {
      const match = /^(-?\d{1,7})(?:-(-?\d{1,7})(?:x(\d{1,7}))?)?$/.exec(part);
      if (!match) return null;
      const last = match[2] === undefined ? Number(match[1]) : Number(match[2]);
      const step = match[3] === undefined ? 1 : Number(match[3]);
      if (step < 1) return null;
      for (const { n } of data.frames) {
        if (n >= Number(match[1]) && n <= last && (n - Number(match[1])) % step === 0) found.add(n);
      }
    }
    return found;
  }

  async function copy(button) {
    const text = button.parentElement.querySelector("pre");
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      const chosen = document.createRange();
      chosen.selectNodeContents(text);
      getSelection().removeAllRanges();
      getSelection().addRange(chosen);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  document.addEventListener("click", (event) => {
    if (event.target.matches("button.copy")) copy(event.target);
  });
  for (const spot of document.querySelectorAll("[data-thumb]")) {
    const frame = data.frames[places.get(Number(spot.dataset.thumb))];
    spot.append(picture(frame, has(frame, "comp") ? "comp" : "alpha"), ...boxes(frame.n));
  }

  return { data, names, places, worst, figures, make, has, isFull, picture, boxes, said, range };
})();
