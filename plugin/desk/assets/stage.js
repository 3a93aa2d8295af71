// The frame on the screen: tiles, zoom and pan, the wipe, the onion skin, and where a pointer is.

import { hold, on, part, put, state } from "./state.js";
import { giveUp, SIDE, tile, tryAgain, whenCome } from "./tiles.js";

const canvas = part("picture");
const context = canvas.getContext("2d", { alpha: false });
const [LEAST, MOST] = [1 / 32, 64];
export const VIEWS = [
  ["plate", "Plate"], ["trimap", "Trimap"], ["adapted", "Adapted trimap"], ["alpha", "Alpha"],
  ["comp", "Over colour"], ["over", "Over checker"], ["key", "Key mask"],
];

let fit = true, scale = 1, left = 0, top = 0;  // screen pixels of a frame's pixel; its corner
let due = false;
let failure = "";
const drawers = [];  // called after the picture, with where it lies

export const place = () => ({ scale, left, top, aspect: state.shot.aspect });
export const whenDrawn = (drawer) => drawers.push(drawer);

export function redraw() {
  if (!due) requestAnimationFrame(() => { due = false; draw(); });
  due = true;
  canvas.dataset.whole = "false";
}

// On whole pixels of the screen: at 100 % a pixel of the frame is one of the screen.
function resize() {
  const room = canvas.parentElement.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  const edge = (value) => Math.round(value * ratio);
  for (const one of [canvas, part("drawing")]) {
    one.width = Math.max(1, edge(room.right) - edge(room.left));
    one.height = Math.max(1, edge(room.bottom) - edge(room.top));
    one.style.width = `${one.width / ratio}px`;
    one.style.height = `${one.height / ratio}px`;
    one.style.left = `${edge(room.left) / ratio - room.left}px`;
    one.style.top = `${edge(room.top) / ratio - room.top}px`;
  }
  if (fit) fitIn();
  redraw();
}

export function fitIn() {
  if (!state.shot) return;
  fit = true;
  const { width, height, aspect } = state.shot;
  scale = Math.min(canvas.width / (width * aspect), canvas.height / height) * 0.98;
  left = (canvas.width - width * aspect * scale) / 2;
  top = (canvas.height - height * scale) / 2;
  redraw();
}

// Zoom to so many screen pixels a pixel, about a point of the canvas.
export function zoomTo(wanted, x = canvas.width / 2, y = canvas.height / 2) {
  const to = hold(wanted, LEAST, MOST);
  left = x - ((x - left) * to) / scale;
  top = y - ((y - top) * to) / scale;
  scale = to;
  fit = false;
  if (scale >= 1) { left = Math.round(left); top = Math.round(top); }
  redraw();
}

export const zoomBy = (factor, x, y) => {
  const to = scale * factor;  // through 100 %, not past it
  zoomTo((scale < 1 && to > 1) || (scale > 1 && to < 1) ? 1 : to, x, y);
};

export function panBy(x, y) {
  left += x;
  top += y;
  fit = false;
  redraw();
}

// Where a pointer is: pixels of the canvas, and of the frame's data window.
export function pointOf(event) {
  const room = canvas.getBoundingClientRect();
  const x = ((event.clientX - room.left) * canvas.width) / room.width;
  const y = ((event.clientY - room.top) * canvas.height) / room.height;
  return { x, y, column: (x - left) / (scale * state.shot.aspect), row: (y - top) / scale };
}

function namesOf(view, frame, info) {
  if (view === "plate") return { view, key: state.shot.session };
  if (!info || info.n !== frame) return null;
  if (view === "key") return { view, key: info.key };
  if (view === "trimap") return { view, key: info.trimap };
  if (view === "adapted") return { view, key: info.preview };
  if (view === "over") return { view: "comp", key: info.matte, behind: state.shot.picture ? "picture" : "checker" };
  if (view === "comp") return { view, key: info.matte, behind: state.colour.slice(1) };
  return { view, key: info.matte };
}

function tilesOf(view, frame, info) {
  const names = namesOf(view, frame, info);
  if (!names) return null;
  const level = hold(Math.floor(Math.log2(1 / scale) + 0.01), 0, 4);
  const { width, height, aspect } = state.shot;
  const side = SIDE << level;
  const [wide, high] = [side * aspect * scale, side * scale];
  const found = [];
  for (let row = 0; row * side < height; row += 1) {
    for (let column = 0; column * side < width; column += 1) {
      const x = left + column * wide, y = top + row * high;
      const w = (Math.min(width, (column + 1) * side) - column * side) * aspect * scale;
      const h = (Math.min(height, (row + 1) * side) - row * side) * scale;
      if (x + w <= 0 || y + h <= 0 || x >= canvas.width || y >= canvas.height) continue;
      found.push({ x, y, w, h, wanted: { ...names, frame, level, column, row, exact: scale >= 1 } });
    }
  }
  return found;
}

// Whether all that is to be seen of it is there.
function paint(view, frame, info, share = 1) {
  const tiles = tilesOf(view, frame, info);
  if (!tiles) return false;
  let whole = true;
  context.globalAlpha = share;
  context.imageSmoothingEnabled = scale < 1;
  context.imageSmoothingQuality = "high";
  for (const { x, y, w, h, wanted } of tiles) {
    const { picture, current, why } = tile(wanted);
    if (why) failure = why;
    if (picture) context.drawImage(picture, x, y, w, h);
    whole = whole && current;
  }
  context.globalAlpha = 1;
  return whole;
}

function draw() {
  context.fillStyle = getComputedStyle(canvas.parentElement).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  if (!state.shot) return;
  const { frame, info, view, other } = state;
  failure = "";
  let whole = paint(view, frame, info);
  const edge = Math.round(left + state.wipe * state.shot.width * state.shot.aspect * scale);
  if (other) {
    context.save();
    context.beginPath();
    context.rect(edge, 0, canvas.width, canvas.height);
    context.clip();
    context.fillRect(edge, 0, canvas.width, canvas.height);
    whole = paint(other, frame, info) && whole;
    context.restore();
    context.fillStyle = "#fff";
    context.fillRect(edge - 1, 0, 2, canvas.height);
    context.fillStyle = "#000";
    context.fillRect(edge + 1, 0, 1, canvas.height);
  }
  const near = beside(-1);
  if (state.onion && near !== frame) paint("plate", near, null, 0.4);
  const waiting = part("waiting");
  waiting.hidden = whole && !failure;
  waiting.textContent = failure || (info && !info.ready && !["plate", "trimap", "key"].includes(view) ? "matting …" : "loading …");
  canvas.dataset.whole = String(whole && state.fresh);
  if (whole) ahead();
  for (const drawer of drawers) drawer();
}

export function beside(step) {
  const frames = state.shot.frames;
  return frames[hold(frames.indexOf(state.frame) + step, 0, frames.length - 1)];
}

// The plate of the frames beside it, so that a step shows it at once.
function ahead() {
  for (const frame of [beside(1), beside(-1)]) {
    for (const { wanted } of tilesOf("plate", frame, null) || []) tile(wanted);
  }
}

function leave() {
  const frames = new Set([state.frame, beside(1), beside(-1)]);
  const { info } = state;
  giveUp(frames, (name, frame) => /^\/tile\/plate/.test(name) || (frame === state.frame
    && (!info || info.n !== frame || [info.key, info.trimap, info.preview, info.matte].some((key) => name.includes(`/${key}/`)))));
}

export function edgeAt(event) {
  const { column } = pointOf(event);
  put({ wipe: hold(column / state.shot.width, 0, 1) });
}

export const nearEdge = (event) => {
  const { x } = pointOf(event);
  return Boolean(state.other) && Math.abs(x - left - state.wipe * state.shot.width * state.shot.aspect * scale) < 7;
};

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const { x, y } = pointOf(event);
  zoomBy(2 ** (-hold(event.deltaY, -200, 200) / 240), x, y);
}, { passive: false });
new ResizeObserver(resize).observe(canvas.parentElement);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
whenCome(redraw);
on("frame info", () => { tryAgain(); leave(); redraw(); });
on("view other wipe colour onion chosen fresh", redraw);
on("shot", () => { resize(); fitIn(); });
