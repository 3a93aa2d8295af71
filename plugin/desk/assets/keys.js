// The keys, once: what they do, and what the list under `?` says of them.

import { redo, undo } from "./changes.js";
import { draws, nextKey, nextWanted } from "./masks.js";
import { matte, removeChosen } from "./rules.js";
import { fitIn, panBy, VIEWS, zoomBy, zoomTo } from "./stage.js";
import { hold, make, part, put, state } from "./state.js";
import { end, nextWorst, play, step } from "./timeline.js";
import { closePolygon, escape, holdSpace, removeCorner } from "./tools.js";

const PAN = 80;
const larger = (factor) => put({ radius: hold(Math.round(state.radius * factor * 10) / 10, 0.5, 400) });
const wipe = (by) => put({ wipe: hold(state.wipe + by, 0, 1) });
const both = () => put({ other: state.other ? "" : state.view === "plate" ? "comp" : "plate" });
const tool = (name) => () => put({ tool: name });
const set = (name) => () => put({ set: name });

// Keys as they are shown, what they do, and their words.
const KEYS = [
  ["1 … 7", null, VIEWS.map(([, label]) => label.toLowerCase()).join(", ")],
  ["Shift+1 … 7", null, "the same, right of the wipe"],
  ["W", both, "wipe on and off"],
  [", .", { ",": () => wipe(-0.05), ".": () => wipe(0.05) }, "move the wipe"],
  ["T Y S", { t: () => draws("trimap"), y: () => draws("key"), s: () => draws("prompt") },
    "what is drawn: the trimap, this frame's key mask, points and boxes for SAM 2 (press or drag; G: not the subject)"],
  ["A Shift+A", { a: () => nextKey(1), A: () => nextKey(-1) }, "next and last key frame"],
  ["Shift+Y", { Y: nextWanted }, "the frame where another key would help most, ready to draw it"],
  ["N", () => put({ onion: !state.onion }), "onion skin of the frame before"],
  ["← →", { ArrowLeft: () => step(-1), ArrowRight: () => step(1) }, "frame before, frame after"],
  ["J K L", { j: () => play(-1), k: () => play(0), l: () => play(1) }, "play back, stop, play"],
  ["Home End", { Home: () => end(false), End: () => end(true) }, "first and last frame"],
  ["Q Shift+Q", { q: () => nextWorst(1), Q: () => nextWorst(-1) }, "next and last frame that is worth a look"],
  ["I O", { i: () => put({ first: state.frame, holds: "range" }), o: () => put({ last: state.frame, holds: "range" }) },
    "in and out: changes hold from here to there"],
  ["R", () => put({ holds: { frame: "range", range: "all", all: "frame" }[state.holds] }),
    "changes hold for this frame, in to out, all"],
  ["+ − 0 9", { "+": () => zoomBy(2), "=": () => zoomBy(2), "-": () => zoomBy(0.5), 0: fitIn, 9: () => zoomTo(1) },
    "closer, farther, the whole frame, 100 %; or the wheel"],
  ["Shift+arrows", null, "move the frame; or Space or the middle button, and drag"],
  ["H B E P", { h: tool("hand"), b: tool("brush"), e: tool("eraser"), p: tool("polygon") },
    "hand, brush, eraser (takes the strokes that it touches), polygon"],
  ["F U G", { f: set("foreground"), u: set("unknown"), g: set("background") }, "paint subject, unknown, background"],
  ["[ ]", { "[": () => larger(1 / 1.25), "]": () => larger(1.25) }, "smaller and larger brush"],
  ["Shift", null, "straight lines: from the last stroke's end, or while dragging"],
  ["Enter", closePolygon, "close the polygon; or press its first corner. A press on an edge adds a corner"],
  ["Delete", () => removeCorner() || removeChosen(), "remove the chosen corner, or the chosen correction"],
  ["Esc", escape, "give up what is under way"],
  ["Ctrl+Z Ctrl+Shift+Z", null, "undo, redo; without end"],
  ["M", matte, "matte what changed"],
  ["?", () => part("keys").showModal(), "this list"],
];

const does = new Map();
for (const [shown, action] of KEYS) {
  if (typeof action === "function") does.set(shown.length === 1 ? shown.toLowerCase() : { Esc: "Escape" }[shown] || shown, action);
  else for (const [key, one] of Object.entries(action || {})) does.set(key, one);
}
part("keys-list").append(...KEYS.flatMap(([shown, , words]) => [
  make("dt", {}, make("kbd", {}, shown)), make("dd", {}, words)]));
part("help").addEventListener("click", () => part("keys").showModal());

const ARROWS = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] };

function own(target, key) {
  if (target.matches("input:not([type]), input[type=color], select")) return true;
  return target.matches("input[type=range]") && /^(Arrow|Home|End|Page)/.test(key);
}

addEventListener("keydown", (event) => {
  if (!state.shot || part("keys").open || own(event.target, event.key)) return;
  const key = event.key.length === 1 && !(event.shiftKey && "QAY".includes(event.key)) ? event.key.toLowerCase() : event.key;
  const digit = /^Digit([1-7])$/.exec(event.code);
  const control = event.ctrlKey || event.metaKey;
  let action = null;
  if (control) action = key === "z" ? (event.shiftKey ? redo : undo) : key === "y" ? redo : null;
  else if (event.altKey) action = null;
  else if (digit) action = () => put({ [event.shiftKey ? "other" : "view"]: VIEWS[digit[1] - 1][0] });
  else if (event.shiftKey && ARROWS[event.key]) action = () => panBy(...ARROWS[event.key]);
  else if (event.key === " " && !event.target.matches("button, a, input")) action = () => holdSpace(true);
  else if (event.key === "Enter" && event.target.matches("button, a")) action = null;
  else action = does.get(key);
  if (!action) return;
  event.preventDefault();
  action();
});
addEventListener("keyup", (event) => { if (event.key === " ") holdSpace(false); });
addEventListener("blur", () => holdSpace(false));
