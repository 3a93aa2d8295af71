// The tiles of frames: asked for when they are looked at, kept for a while, given up when another
// frame is looked at. A tile's name says which corrections it shows, so none is shown for another.

import { bitmap, Refused } from "./server.js";

export const SIDE = 1024;
const MOST = 320e6;  // bytes of pixels

const kept = new Map();    // name to bitmap, the latest last
const asked = new Map();   // name to what ends the request
const latest = new Map();  // place to name: what was shown there last
const wrong = new Map();   // name to why it cannot be had, until the frame is asked about again
let bytes = 0;

function keep(name, found) {
  kept.set(name, found);
  bytes += found.width * found.height * 4;
  for (const [old, one] of kept) {
    if (bytes <= MOST || kept.size < 2) break;
    if (old === name) continue;
    bytes -= one.width * one.height * 4;
    one.close();
    kept.delete(old);
  }
}

function look(name) {
  const found = kept.get(name);
  if (found) { kept.delete(name); kept.set(name, found); }
  return found;
}

export function nameOf({ view, frame, key, level, column, row, exact, behind }) {
  const form = exact ? "png" : "jpg";
  const query = behind ? `?behind=${behind}` : "";
  return `/tile/${view}/${frame}/${key}/${level}-${column}-${row}.${form}${query}`;
}

function placeOf({ view, frame, level, column, row, behind }) {
  return [view, frame, level, column, row, behind].join(" ");
}

let came = () => {};
// Who is told whenever a tile has come, or cannot be had.
export const whenCome = (told) => { came = told; };

// The tile, or what was there before it, or nothing yet.
export function tile(wanted) {
  const name = nameOf(wanted);
  const place = placeOf(wanted);
  const found = look(name);
  if (found) {
    latest.set(place, name);
    return { picture: found, current: true };
  }
  if (!wrong.has(name)) ask(name, wanted.frame);
  return { picture: look(latest.get(place)), current: false, why: wrong.get(name) };
}

function ask(name, frame) {
  if (asked.has(name)) return;
  const ending = new AbortController();
  const request = { ending, frame };
  asked.set(name, request);
  bitmap(name, ending.signal).then((found) => keep(name, found), (error) => {
    if (error.name === "AbortError") return;
    // A frame's picture has another name by now: whoever shows it will hear of it.
    wrong.set(name, error instanceof Refused && error.status === 410 ? "" : error.message);
  }).finally(() => {
    if (asked.get(name) === request) asked.delete(name);
    came();
  });
}

export const tryAgain = () => wrong.clear();

// Give up what is still asked for and not among these frames or names.
export function giveUp(frames, fits) {
  for (const [name, { ending, frame }] of asked) {
    if (!frames.has(frame) || !fits(name, frame)) {
      ending.abort();
      asked.delete(name);
    }
  }
}

export const held = () => ({ tiles: kept.size, bytes, asked: asked.size });
