// One frame at full size: two of its pictures with a wipe between them, zoom to pixels, keys.
"use strict";

const Viewer = (() => {
  const { data, names, places, worst, make, has, isFull, picture, boxes, said } = Report;
  const kinds = ["plate", "trimap", "adapted", "alpha", "comp", "band", "change", "colours", "other", "difference"]
    .filter((kind) => data.frames.some((frame) => has(frame, kind)));
  const part = (name) => document.getElementById(`v-${name}`);
  const dialog = document.getElementById("viewer");
  const [stage, scroll, wipe, zoom, left, right] =
    ["stage", "scroll", "wipe", "zoom", "left", "right"].map(part);
  const play = Play.make({
    rate: data.play, button: part("play"),
    step: (by) => { if (dialog.open) go((at + by) % data.frames.length); },
  });
  const zooms = [...zoom.options].map((option) => option.value);
  let at = 0;

  for (const choice of [left, right]) {
    choice.append(...kinds.map((kind, i) => make("option", { value: kind }, `${i + 1} ${names[kind]}`)));
  }
  left.value = has(data.frames[0] || {}, "plate") ? "plate" : kinds[0] || "";
  right.value = kinds.includes("comp") ? "comp" : "alpha";

  function draw() {
    const frame = data.frames[at];
    if (!frame) return;
    const full = !play.on; // all at one sharpness while it plays
    const under = make("div", { className: "layer" }, picture(frame, left.value, full));
    const above = make("div", { className: "layer above" }, picture(frame, right.value, full));
    const marks = part("box").checked ? boxes(frame.n) : [];
    stage.replaceChildren(under, above, ...marks, make("div", { className: "edge" }));
    part("frame").textContent = `frame ${frame.n}`;
    const one = worst.get(frame.n);
    const small = [left.value, right.value].filter((kind) => has(frame, kind) && !isFull(frame, kind));
    const notes = [said(frame)];
    if (one) notes.push(one.reasons.map((reason) => reason.text).join("; "));
    if (small.length) {
      notes.push(`${[...new Set(small)].map((kind) => names[kind]).join(" and ")} in small only: ` +
        `adamatte report --full ${frame.n} (trimaps: run with --keep trimap,adapted)`);
    }
    part("said").textContent = notes.join(" — ");
    slide();
    size();
    ahead();
    part("pixel").textContent = "";
  }

  // Frame's pixel under the pointer, and its values where they are at hand.
  function read(event) {
    const room = stage.getBoundingClientRect();
    const x = Math.floor(((event.clientX - room.left) / room.width) * data.width);
    const y = Math.floor(((event.clientY - room.top) / room.height) * data.height);
    if (x < 0 || y < 0 || x >= data.width || y >= data.height || play.on) return;
    const frame = data.frames[at];
    const told = Readout.at(frame.v, x, y);
    const none = `values: adamatte report --full ${frame.n}`;
    part("pixel").textContent = `x ${x} y ${y}${told === null ? ` · ${none}` : told && ` · ${told}`}`;
  }

  function ahead() {
    for (const place of [at + 1, at - 1]) {
      const frame = data.frames[place];
      for (const kind of ["plate", "alpha"]) {
        if (frame && isFull(frame, kind) && !play.on) new Image().src = frame.u[kind];
      }
    }
    for (let further = 1; play.on && further <= 8; further += 1) {
      const frame = data.frames[(at + further) % data.frames.length];
      if (frame.p) new Image().src = "frames/" + frame.p;
    }
  }

  function slide() {
    stage.style.setProperty("--wipe", `${wipe.value}%`);
  }

  function size() {
    const room = scroll.getBoundingClientRect();
    const fit = Math.min(room.width, room.height * data.aspect);
    const scale = zoom.value === "fit" ? 0 : Number(zoom.value);
    stage.style.width = `${scale ? data.width * data.pixel_aspect * scale : Math.floor(fit)}px`;
    // On whole pixels of the screen: at 100 % a pixel of the frame is one of the screen.
    stage.style.left = stage.style.top = "0";
    const corner = stage.getBoundingClientRect();
    stage.style.left = `${Math.round(corner.left) - corner.left}px`;
    stage.style.top = `${Math.round(corner.top) - corner.top}px`;
    stage.classList.toggle("pixels", scale >= 2 || (scale === 0 && fit > 2 * data.width));
  }

  function go(place) {
    at = Math.min(Math.max(place, 0), data.frames.length - 1);
    const frame = data.frames[at];
    try {
      history.replaceState(null, "", `#frame-${frame.n}`);
    } catch { /* a browser that forbids it for files: the address stays */ }
    draw();
  }

  function open(number, kind) {
    if (!places.has(number)) return;
    if (kind && kinds.includes(kind)) {
      right.value = kind;
      if (left.value === kind) left.value = kinds.find((other) => other !== kind) || kind;
    }
    if (!dialog.open) {
      const subject = data.frames[places.get(number)].x; // the wipe goes through the subject
      wipe.value = subject === undefined ? 50 : 100 * subject;
      dialog.showModal();
    }
    go(places.get(number));
    scroll.focus();
  }

  function next() {
    const after = data.frames.findIndex((frame, place) => place > at && worst.has(frame.n));
    go(after >= 0 ? after : data.frames.findIndex((frame) => worst.has(frame.n)));
  }

  function closer(steps) {
    const middle = [
      (scroll.scrollLeft + scroll.clientWidth / 2) / stage.clientWidth,
      (scroll.scrollTop + scroll.clientHeight / 2) / stage.clientHeight,
    ];
    const place = Math.min(Math.max(zooms.indexOf(zoom.value) + steps, 0), zooms.length - 1);
    zoom.value = zooms[place];
    size();
    scroll.scrollTo(middle[0] * stage.clientWidth - scroll.clientWidth / 2,
      middle[1] * stage.clientHeight - scroll.clientHeight / 2);
  }

  function push(by) {
    wipe.value = Number(wipe.value) + by;
    slide();
  }

  const keys = {
    ArrowLeft: () => go(at - 1), ArrowRight: () => go(at + 1),
    Home: () => go(0), End: () => go(data.frames.length - 1),
    n: next, ",": () => push(-5), ".": () => push(5),
    "+": () => closer(1), "=": () => closer(1), "-": () => closer(-1),
    " ": () => play.toggle(),
    0: () => { zoom.value = "fit"; size(); },
  };

  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const own = event.target.matches("select, input[type=range]");
    if (own && /^(Arrow|Home|End)/.test(event.key)) return;
    if (event.key === " " && event.target.matches("button, select, input")) return;
    const digit = /^Digit([1-9])$/.exec(event.code);
    if (digit && kinds[digit[1] - 1]) {
      (event.shiftKey ? right : left).value = kinds[digit[1] - 1];
      draw();
    } else if (keys[event.key]) {
      keys[event.key]();
    } else {
      return;
    }
    event.preventDefault();
  });

  function drag(event) {
    if (!(event.buttons & 1)) return;
    const room = stage.getBoundingClientRect();
    wipe.value = (100 * (event.clientX - room.left)) / room.width;
    slide();
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") stage.setPointerCapture(event.pointerId);
    drag(event);
  });
  stage.addEventListener("pointermove", drag);
  stage.addEventListener("pointermove", read);
  stage.addEventListener("pointerdown", read);
  wipe.addEventListener("input", slide);
  zoom.addEventListener("change", size);
  for (const choice of [left, right, part("box")]) choice.addEventListener("change", draw);
  part("before").addEventListener("click", () => go(at - 1));
  part("after").addEventListener("click", () => go(at + 1));
  part("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    if (play.on) play.set(false);
    try {
      history.replaceState(null, "", "#");
    } catch { /* as above */ }
  });
  addEventListener("resize", () => { if (dialog.open) size(); });

  function follow() {
    const match = /^#frame-(-?\d+)(?:-(\w+))?$/.exec(location.hash);
    if (!match) return;
    if (match[2] === "difference") left.value = "alpha";
    open(Number(match[1]), match[2]);
  }
  addEventListener("hashchange", follow);
  addEventListener("DOMContentLoaded", follow);
  return { open, get frame() { return data.frames[at]?.n; } };
})();
