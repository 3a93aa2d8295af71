// What the page knows and shows: one object; whoever shows a part of it is told when that changes.

const listeners = new Map();

export const state = {
  shot: null,          // /api/shot: what does not change
  rules: { rules: [], undo: 0, redo: 0, broken: "" },
  marks: { done: "", stale: "", failed: {}, due: 0, worst: [], report: false },
  job: { state: "idle" },
  keys: { takes: { key: false, prompt: false }, keys: {}, prompts: [], bare: "", pending: false,
    step: null, trouble: "", wanted: null, notes: [] },
  frame: 0,            // its number
  info: null,          // /api/frame of it: the names of its pictures; null until it is there
  fresh: false,        // no newer ones are asked for
  informed: null,      // the rules that `info` came with
  view: "comp", other: "", wipe: 0.5, colour: "#d92e52", onion: false,
  draws: "trimap",     // what a stroke changes: trimap, key, prompt
  start: "trimap",     // what a key on a frame without one begins with
  tool: "hand", set: "foreground", radius: 24,
  holds: "frame", first: 0, last: 0,
  chosen: "",          // id of a rule
};

export function on(names, told) {
  for (const name of names.split(" ")) {
    if (!listeners.has(name)) listeners.set(name, []);
    listeners.get(name).push(told);
  }
}

// Change some of it, and tell.
export function put(changes) {
  const changed = Object.keys(changes).filter((name) => state[name] !== changes[name]);
  Object.assign(state, changes);
  const told = new Set(changed.flatMap((name) => listeners.get(name) || []));
  for (const one of told) one();
}

// Tell as if these had changed.
export function touch(...names) {
  for (const one of new Set(names.flatMap((name) => listeners.get(name) || []))) one();
}

// `1001-1020x2,1030` as pairs and steps, [first, last, step].
export function runs(text) {
  return text.replace(/\s/g, "").split(",").filter(Boolean).map((part) => {
    const match = /^(-?\d+)(?:-(-?\d+)(?:x(\d+))?)?$/.exec(part);
    if (!match) return [1, 0, 1];
    return [Number(match[1]), Number(match[2] ?? match[1]), Number(match[3] ?? 1)];
  });
}

export function within(text, frame) {
  return runs(text).some(([a, b, step]) => frame >= a && frame <= b && (frame - a) % step === 0);
}

// The frames that a change holds for, as the override file writes them.
export function range() {
  const { shot, frame, holds, first, last } = state;
  const all = [shot.frames[0], shot.frames[shot.frames.length - 1]];
  const [a, b] = holds === "all" ? all : holds === "range" ? [first, last] : [frame, frame];
  return a === b ? `${a}` : `${Math.min(a, b)}-${Math.max(a, b)}`;
}

export function hold(value, least, most) {
  return Math.min(most, Math.max(least, value));
}

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const part = (id) => document.getElementById(id);
export const COLOURS = { foreground: "#2bd94a", unknown: "#f2c230", background: "#ff4030" };
