// The panel of what masks are made of: key frames, and points and boxes for SAM 2.

import { drawKey, prompt, removeKey, say } from "./changes.js";
import { promptsOf } from "./prompts.js";
import { make, on, part, put, state } from "./state.js";
import { go } from "./timeline.js";

const DRAWS = [["trimap", "Trimap", "T"], ["key", "Key", "Y"], ["prompt", "Points", "S"]];

for (const [name, label, letter] of DRAWS) {
  const button = make("button", { type: "button", role: "radio", "data-draws": name }, label, " ", make("kbd", {}, letter));
  button.addEventListener("click", () => draws(name));
  part("draws").append(button);
}

// From now on strokes change the trimap, the frame's key, or prompts.
export function draws(name) {
  const { takes } = state.keys;
  if (name !== "trimap" && !takes[name]) {
    say(name === "key" ? "This shot's masks are given: no keys are drawn." : "SAM 2 does not make this shot's masks.");
    return;
  }
  const view = { key: "key", prompt: "plate", trimap: state.view === "key" ? "trimap" : state.view }[name];
  put({ draws: name, view, ...(name !== "trimap" && state.tool === "hand" ? { tool: "brush" } : {}) });
}

part("start").addEventListener("change", () => put({ start: part("start").value }));
part("begin").addEventListener("click", () => drawKey());
part("unkey").addEventListener("click", removeKey);

// The frames that have a key, and from one to the next.
export function nextKey(by) {
  const frames = Object.keys(state.keys.keys).map(Number).sort((a, b) => a - b);
  const after = by > 0 ? frames.find((n) => n > state.frame) ?? frames[0]
    : frames.filter((n) => n < state.frame).pop() ?? frames[frames.length - 1];
  if (after !== undefined) go(after);
}

// The frame where another key would help most, as the pass has found; ready to draw it.
export function nextWanted() {
  const { wanted } = state.keys;
  if (wanted === null) { say("No frame asks for another key."); return; }
  go(wanted);
  draws("key");
}
part("wanted").addEventListener("click", nextWanted);

function keyWords() {
  const { keys, frame } = state;
  const kind = keys.keys[frame];
  if (kind === "drawn") return `${frame} is a key, drawn here.`;
  if (kind === "given") return `${frame} is a key from elsewhere; what is drawn takes its place, that file stays.`;
  return keys.bare ? `${frame} has no key. Draw around the subject, or paint it.` : `${frame} is no key. A stroke makes it one.`;
}

function carried() {
  const { keys } = state;
  const there = Object.keys(keys.keys).length + keys.prompts.length;
  if (keys.pending && there) {
    const [done, total] = keys.step || [0, 0];
    return total ? `masks are carried: ${done} of ${total} frames` : "masks are carried …";
  }
  if (keys.bare && !there) return "No masks yet: draw the whole subject on one frame. From there they are carried to the others.";
  return keys.notes.join(" · ");
}

on("keys draws frame start", () => {
  const { keys, draws: now, frame } = state;
  const any = keys.takes.key || keys.takes.prompt;
  part("draws").hidden = !any;
  for (const button of part("draws").children) {
    const name = button.dataset.draws;
    button.hidden = name !== "trimap" && !keys.takes[name];
    button.setAttribute("aria-checked", String(name === now));
  }
  for (const one of document.querySelectorAll("[data-view=key], #other option[value=key]")) one.hidden = !keys.takes.key;
  part("keyed").hidden = now !== "key";
  part("key-said").textContent = keyWords();
  part("start").value = state.start;
  part("starts").hidden = Boolean(keys.keys[frame]) || Boolean(keys.bare);
  part("begin").disabled = state.start === "nothing";
  part("unkey").hidden = !keys.keys[frame];
  part("holding").hidden = now !== "trimap";
  part("carried").textContent = any ? carried() : "";
  part("wanted").hidden = keys.wanted === null;
  part("wanted-said").textContent = `Draw a key at ${keys.wanted} `;
  part("prompts").replaceChildren(...(now === "prompt" ? promptsOf(frame) : []).map(({ text }) => {
    const gone = make("button", { type: "button", className: "small", "aria-label": `Delete ${text}` }, "Delete");
    gone.addEventListener("click", () => prompt([], [text]));
    return make("li", {}, text, " ", gone);
  }));
});
on("set draws", () => {
  document.querySelector("[data-set=unknown]").hidden = state.draws !== "trimap"; if (state.draws === "key" && state.set === "unknown") put({ set: "foreground" }); });
