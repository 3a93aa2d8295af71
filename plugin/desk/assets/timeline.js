// The shot over time: how each frame stands, where corrections and keys are, the frames to look at.

import { hold, on, part, put, runs, state } from "./state.js";

const canvas = part("marks");
const context = canvas.getContext("2d");
const slider = part("time");
let playing = 0, timer = 0;

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const across = (index) => ((index + 0.5) / state.shot.frames.length) * canvas.width;

export function go(frame) {
  const { frames } = state.shot;
  const there = frames.includes(frame) ? frame
    : frames.reduce((best, one) => (Math.abs(one - frame) < Math.abs(best - frame) ? one : best));
  if (there !== state.frame) put({ frame: there, info: null });
}
export function step(by) {
  const { frames } = state.shot;
  go(frames[hold(frames.indexOf(state.frame) + by, 0, frames.length - 1)]);
}
export const end = (last) => go(last ? state.shot.frames[state.shot.frames.length - 1] : state.shot.frames[0]);

// The next frame that is worth a look, in the order of the shot.
export function nextWorst(by) {
  const numbers = [...state.marks.worst.map((one) => one.n), ...Object.keys(state.marks.failed).map(Number)]
    .sort((a, b) => a - b);
  const after = by > 0 ? numbers.find((n) => n > state.frame) ?? numbers[0]
    : numbers.filter((n) => n < state.frame).pop() ?? numbers[numbers.length - 1];
  if (after !== undefined) go(after);
}

// Plays as fast as frames come, at most at the plate's rate: no number is shown without its picture.
export function play(by) {
  playing = by;
  clearTimeout(timer);
  if (by) tick();
}
function tick() {
  const { frames, rate } = state.shot;
  const at = frames.indexOf(state.frame);
  if (!playing || at + playing < 0 || at + playing >= frames.length) { playing = 0; return; }
  if (part("picture").dataset.whole === "true") step(playing);
  timer = setTimeout(tick, 1000 / rate);
}

function bars(text, top, height, colour) {
  const { frames } = state.shot;
  const wide = canvas.width / frames.length;
  context.fillStyle = colour;
  for (const [first, last, stride] of runs(text)) {
    let start = -1;
    for (let i = 0; i <= frames.length; i += 1) {
      const on_ = i < frames.length && frames[i] >= first && frames[i] <= last && (frames[i] - first) % stride === 0;
      if (on_ && start < 0) start = i;
      if (!on_ && start >= 0) {
        context.fillRect(start * wide, top, Math.max(1, (i - start) * wide - (wide > 5 ? 1 : 0)), height);
        start = -1;
      }
    }
  }
}

function draw() {
  const { shot, marks, rules, frame } = state;
  if (!shot) return;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  const row = canvas.height / 4;
  const half = Math.max(0, canvas.clientWidth / shot.frames.length / 2 - 8);  // the thumb under its frame
  slider.style.margin = `0 ${half}px`;
  slider.style.width = `calc(100% - ${2 * half}px)`;
  bars(`${shot.frames[0]}-${shot.frames[shot.frames.length - 1]}`, 0, row * 0.9, css("--line"));
  bars(marks.done, 0, row * 0.9, css("--good"));
  bars(marks.stale, 0, row * 0.9, css("--suspect"));
  bars(Object.keys(marks.failed).join(","), 0, row * 0.9, css("--bad"));
  for (const rule of rules.rules) bars(rule.frames, row * 1.1, row * 0.7, css("--link"));
  for (const key of Object.keys(state.keys.keys)) square(shot.frames.indexOf(Number(key)), row * 2.4, row * 0.42);
  for (const text of state.keys.prompts) square(shot.frames.indexOf(parseInt(text, 10)), row * 2.4, row * 0.25);
  const keys = new Set([...rules.rules.flatMap((rule) => Object.keys(rule.polygon || {}).map(Number))]);
  for (const key of keys) diamond(shot.frames.indexOf(key), row * 2.4, row * 0.45);
  for (const one of marks.worst) triangle(shot.frames.indexOf(one.n), row * 3, row * 0.9, one.severe);
  if (state.holds === "range") range(row * 4);
  const x = Math.round(across(shot.frames.indexOf(frame)));
  context.fillStyle = css("--ink");
  context.fillRect(x - ratio, 0, 2 * ratio, canvas.height);
}

function square(index, y, radius) {
  if (index < 0) return;
  context.fillStyle = css("--key");
  context.fillRect(across(index) - radius, y - radius, 2 * radius, 2 * radius);
}

function diamond(index, y, radius) {
  if (index < 0) return;
  const x = across(index);
  context.fillStyle = css("--ink");
  context.beginPath();
  for (const [dx, dy] of [[0, -1], [1, 0], [0, 1], [-1, 0]]) context.lineTo(x + dx * radius, y + dy * radius);
  context.fill();
}

function triangle(index, top, high, severe) {
  if (index < 0) return;
  const x = across(index);
  context.fillStyle = severe ? css("--bad") : css("--suspect");
  context.beginPath();
  for (const [dx, dy] of [[0, 0], [0.6, 1], [-0.6, 1]]) context.lineTo(x + dx * high, top + dy * high);
  context.fill();
}

function range(high) {
  const { frames } = state.shot;
  const wide = canvas.width / frames.length;
  const [a, b] = [Math.min(state.first, state.last), Math.max(state.first, state.last)];
  const inside = frames.filter((n) => n >= a && n <= b);
  if (!inside.length) return;
  context.strokeStyle = css("--link");
  context.lineWidth = 2;
  context.strokeRect(frames.indexOf(inside[0]) * wide + 1, 1, inside.length * wide - 2, high - 2);
}

function said() {
  const { frame, marks, rules } = state;
  const holds = (text) => runs(text).some(([a, b, s]) => frame >= a && frame <= b && (frame - a) % s === 0);
  const worst = marks.worst.find((one) => one.n === frame);
  const words = state.keys.pending ? "keys or files have changed: how it stands is being looked at anew"
    : marks.failed[frame] ? `failed: ${marks.failed[frame]}`
    : holds(marks.stale) ? "stale: matted with other corrections or settings"
      : holds(marks.done) ? "done" : "not matted yet";
  const more = rules.rules.filter((rule) => holds(rule.frames)).length;
  const preview = holds(marks.done) ? "" : state.shot.radius ? ", shown without stabilisation" : "";
  const count = more === 1 ? "1 correction" : more ? `${more} corrections` : "";
  part("frame-said").textContent = [words + preview, count, worst?.text]
    .filter(Boolean).join(" · ");
  part("frame-said").title = part("frame-said").textContent;
}

function seek(event) {
  if (!(event.buttons & 1)) return;
  const room = canvas.getBoundingClientRect();
  const { frames } = state.shot;
  go(frames[hold(Math.floor(((event.clientX - room.left) / room.width) * frames.length), 0, frames.length - 1)]);
}
canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); seek(event); });
canvas.addEventListener("pointermove", seek);
slider.addEventListener("input", () => go(state.shot.frames[Number(slider.value)]));
part("number").addEventListener("change", () => {
  const number = Math.round(Number(part("number").value));
  if (Number.isFinite(number) && part("number").value.trim()) go(number);
  part("number").value = state.frame;
});
// A number that is half typed stays, whatever the server says meanwhile.
let shown = 0;
function typed() {
  const now = document.activeElement === part("number") && shown === state.frame;
  shown = state.frame;
  return now;
}
part("back").addEventListener("click", () => step(-1));
part("forth").addEventListener("click", () => step(1));
new ResizeObserver(draw).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
on("shot", () => { slider.max = state.shot.frames.length - 1; });
on("frame marks rules keys shot holds first last", () => {
  if (!state.shot) return;
  draw();
  said();
  if (!typed()) part("number").value = state.frame;
  slider.value = state.shot.frames.indexOf(state.frame);
  slider.setAttribute("aria-valuetext", `frame ${state.frame}`);
});
