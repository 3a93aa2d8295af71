// Changes of the override file: each is sent at once, and is in the file when the answer is there.

import { post } from "./server.js";
import { put, range, runs, state, within } from "./state.js";

let words = () => {};
export const sayWith = (say) => { words = say; };
export const say = (text, bad = false) => words(text, bad);

let line = Promise.resolve();  // one after another, in the order in which they were made
let waiting = 0;
export const pending = () => waiting > 0;

// `made` is asked for what to send when its turn has come, and knows the rules of then.
function send(path, made = () => ({}), part = "rules") {
  waiting += 1;
  line = line.then(async () => {
    waiting -= 1;
    try {
      const { info, ...told } = await post(path, made());
      // With what the frame's pictures are called now, so that it need not be asked for.
      const informed = info?.n === state.frame ? { info, fresh: true, informed: told } : {};
      put({ [part]: told, ...informed });
      return true;
    } catch (error) {
      say(error.message, true);
      return false;
    }
  });
  return line;
}

const sendChanges = (made) => send("/api/change", () => ({ changes: made(), frame: state.frame }));
export const change = (...changes) => sendChanges(() => changes);
export const undo = () => send("/api/undo");
export const redo = () => send("/api/redo");

// The frame's key mask: a stroke, a polygon, or nothing but what it begins with.
export function drawKey(drawn = {}) {
  const { frame, start } = state;
  if (state.keys.keys[frame] === "given") {
    say(`The key of ${frame} came from elsewhere: that file stays as it is, this one is used.`);
  }
  return send("/api/key", () => ({ frame, start, ...drawn }), "keys");
}
export const keyStroke = ({ set, radius, points }) => drawKey({ set, stroke: { points: round(points), radius } });
export const removeKey = () => send("/api/key", () => ({ frame: state.frame, remove: true }), "keys");
export const prompt = (add, remove = []) => send("/api/prompt", () => ({ add, remove }), "keys");

function named(kind) {
  const taken = new Set(state.rules.rules.map((rule) => rule.id));
  let number = 1;
  while (taken.has(`${kind}-${number}`)) number += 1;
  return `${kind}-${number}`;
}

const round = (points) => points.map(([x, y]) => [Math.round(x * 100) / 100, Math.round(y * 100) / 100]);

export function addStroke({ set, radius, points }) {
  const frames = range();
  return sendChanges(() => [{ now: { id: named("stroke"), frames, set, stroke: { points: round(points), radius } } }]);
}

export async function addPolygon(points) {
  const [frames, { set, frame }] = [range(), state];
  const now = () => ({ id: named("polygon"), frames, set, polygon: { [frame]: round(points) } });
  if (await sendChanges(() => [{ now: now() }])) put({ chosen: state.rules.rules[state.rules.rules.length - 1].id });
}

const placeOf = (rule) => state.rules.rules.findIndex((one) => one.id === rule.id);

export function replace(rule, now) {
  return sendChanges(() => [{ was: rule, now, place: placeOf(rule) }]);
}

export function remove(...rules) {
  return change(...rules.map((was) => ({ was })));
}

// A polygon with these corners on this frame: the frame becomes a key of it, and it holds there.
export function key(rule, frame, points) {
  const polygon = { ...rule.polygon, [frame]: round(points) };
  let { frames } = rule;
  if (!within(frames, frame)) {
    const [[a, b, step], ...more] = runs(frames);
    frames = more.length || step > 1 ? `${frames},${frame}` : `${Math.min(a, frame)}-${Math.max(b, frame)}`;
  }
  return replace(rule, { ...rule, frames, polygon });
}

// The same change of corners on every key, so that all have as many.
export function reshape(rule, change_) {
  const polygon = {};
  for (const [frame, points] of Object.entries(rule.polygon)) polygon[frame] = round(change_(points));
  return replace(rule, { ...rule, polygon });
}

export function band(params) {
  const frames = range();
  return sendChanges(() => {
    const was = state.rules.rules.filter((rule) => rule.params && rule.frames === frames).pop();
    if (was) return [{ was, now: { ...was, params }, place: placeOf(was) }];
    return [{ now: { id: named("band"), frames, params } }];
  });
}
