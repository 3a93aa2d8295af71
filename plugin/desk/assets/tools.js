// What a pointer does on the frame, by tool: hand, brush, eraser, polygon.

import { addPolygon, addStroke, drawKey, key, keyStroke, prompt, remove, reshape, say } from "./changes.js";
import { chosenRule, corners, shown, toCanvas } from "./drawing.js";
import { promptNear, promptOf } from "./prompts.js";
import { edgeAt, nearEdge, panBy, pointOf, redraw } from "./stage.js";
import { on, part, put, state, within } from "./state.js";

const canvas = part("picture");
const NEAR = 9;  // screen pixels
const MOST_POINTS = 9000;
let drag = null;       // what the pointer that is down does: { move, up }
let lastEnd = null;    // where the last stroke ended, for a straight line with shift
export let spaceHeld = false;
export const holdSpace = (held) => { spaceHeld = held; cursor(); };

// Pixels of the display window, as the override file counts.
function at(event) {
  const { column, row } = pointOf(event);
  return [column + state.shot.offset[0], row + state.shot.offset[1]];
}

const screen = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

function pan(event) {
  let before = pointOf(event);
  return {
    move(moved) {
      const now = pointOf(moved);
      panBy(now.x - before.x, now.y - before.y);
      before = now;
    },
    up() {},
  };
}

const slide = (event) => { edgeAt(event); return { move: edgeAt, up() {} }; };

function brush(event, set = state.set === "unknown" && state.draws === "key" ? "foreground" : state.set) {
  const { radius, draws } = state;
  const start = event.shiftKey && lastEnd ? lastEnd : at(event);
  const drawn = { set, radius, points: [start, ...(event.shiftKey ? [at(event)] : [])] };
  shown.strokes.push(drawn);
  const least = Math.max(0.4, radius / 12);
  return {
    move(moved) {
      for (const one of moved.getCoalescedEvents?.() ?? [moved]) {
        const point = at(one);
        if (moved.shiftKey) drawn.points = [drawn.points[0], point];
        else if (screen(point, drawn.points[drawn.points.length - 1]) >= least
          && drawn.points.length < MOST_POINTS) drawn.points.push(point);
      }
    },
    async up() {
      lastEnd = drawn.points[drawn.points.length - 1];
      const sent = await (draws === "key" ? keyStroke : addStroke)(drawn);
      // It stays until the trimap shows it.
      setTimeout(() => {
        shown.strokes = shown.strokes.filter((one) => one !== drawn);
        redraw();
      }, sent ? 120 : 0);
    },
    end() { shown.strokes = shown.strokes.filter((one) => one !== drawn); },
  };
}

function distance([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = dx || dy ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy))) : 0;
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}

function touches(rule, point) {
  const { points, radius } = rule.stroke;
  const ends = points.length > 1 ? points.slice(1) : points;
  return ends.some((end, i) => distance(point, points[i], end) <= radius + state.radius);
}

function eraser(event) {
  if (state.draws === "key") return brush(event, "background");
  const move = (moved) => {
    const point = at(moved);
    for (const rule of state.rules.rules) {
      if (rule.stroke && within(rule.frames, state.frame) && !shown.erased.includes(rule)
        && touches(rule, point)) shown.erased.push(rule);
    }
  };
  move(event);
  return {
    move,
    async up() {
      const gone = shown.erased;
      if (gone.length) await remove(...gone);
      shown.erased = [];
      redraw();
    },
    end() { shown.erased = []; },
  };
}

// A corner that is dragged: the frame becomes a key when it is let go.
function grab(rule, event) {
  const { points } = corners(rule, state.frame);
  const here = pointOf(event);
  const near = points.findIndex((point) => screen(toCanvas(point), [here.x, here.y]) <= NEAR);
  if (near < 0) return null;
  shown.corner = near;
  return {
    move(moved) { shown.held = points.map((point, i) => (i === near ? at(moved) : point)); },
    async up() {
      if (shown.held) await key(rule, state.frame, shown.held);
      shown.held = null;
      redraw();
    },
    end() { shown.held = null; },
  };
}

function edgeNear(points, event) {
  const here = pointOf(event);
  return points.findIndex((point, i) => distance([here.x, here.y], toCanvas(point),
    toCanvas(points[(i + 1) % points.length])) <= NEAR);
}

function polygon(event) {
  const rule = state.draws === "trimap" ? chosenRule() : null;
  if (rule?.polygon && !shown.polygon) {
    const { points } = corners(rule, state.frame);
    const edge = edgeNear(points, event);
    const grabbed = grab(rule, event);
    if (grabbed) return grabbed;
    if (edge >= 0) {  // a corner more, in the middle of that edge on every key
      reshape(rule, (all) => {
        const next = all[(edge + 1) % all.length];
        const middle = [(all[edge][0] + next[0]) / 2, (all[edge][1] + next[1]) / 2];
        return [...all.slice(0, edge + 1), middle, ...all.slice(edge + 1)];
      });
      shown.corner = edge + 1;
      return { move() {}, up() {} };
    }
  }
  const point = at(event);
  const first = shown.polygon?.[0];
  if (first && shown.polygon.length > 2 && screen(toCanvas(first), toCanvas(point)) <= NEAR) {
    closePolygon();
  } else if (!first && state.draws === "trimap" && choose(event)) {
    return { move() {}, up() {} };
  } else {
    shown.polygon = [...(shown.polygon || []), point];
    if (!first) put({ chosen: "" });
  }
  return { move() {}, up() {} };
}

// The polygon on whose edge it was pressed.
function choose(event) {
  const found = state.rules.rules.find((rule) => rule.polygon && within(rule.frames, state.frame)
    && edgeNear(corners(rule, state.frame).points, event) >= 0);
  if (found) put({ chosen: found.id });
  return Boolean(found);
}

export function closePolygon() {
  if (!shown.polygon) return;
  // The second press of a double click is no corner of its own.
  const points = shown.polygon.filter((one, i, all) => !i || screen(one, all[i - 1]) > 0.05);
  if (points.length < 3) { say("A polygon has three corners or more."); return; }
  shown.polygon = null;
  if (state.draws === "key") drawKey({ set: state.set === "background" ? "background" : "foreground", polygon: points });
  else addPolygon(points);
}

// A press is a point, a drag a box; the eraser takes the one it is pressed on.
function point(event) {
  const near = promptNear(event);
  if (state.tool === "eraser") {
    if (near) prompt([], [near]);
    return { move() {}, up() {} };
  }
  const start = at(event);
  let end = start;
  return {
    move(moved) {
      end = at(moved);
      shown.box = screen(toCanvas(start), toCanvas(end)) > NEAR ? [start, end] : null;
    },
    up() {
      prompt([promptOf(start, shown.box ? end : null)]);
      shown.box = null;
    },
    end() { shown.box = null; },
  };
}

export function removeCorner() {
  const rule = chosenRule();
  if (!rule?.polygon || shown.corner < 0) return false;
  if (Object.values(rule.polygon)[0].length < 4) { say("A polygon has three corners or more."); return true; }
  const gone = shown.corner;
  shown.corner = -1;
  reshape(rule, (all) => all.filter((_, i) => i !== gone));
  return true;
}

// Give up what is under way.
export function escape() {
  drag?.end?.();
  drag = null;
  shown.polygon = null;
  shown.corner = -1;
  put({ chosen: "" });
  redraw();
}

function cursor() {
  const tools = { hand: "grab", polygon: "crosshair" };
  const pointing = state.draws === "prompt" && state.tool !== "hand" ? "crosshair" : "";
  canvas.style.cursor = spaceHeld ? "grab" : pointing || tools[state.tool] || "none";
}

canvas.addEventListener("pointerdown", (event) => {
  if (!state.shot || drag || event.button > 1) return;
  canvas.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);
  event.preventDefault();
  const draws = state.draws === "prompt";
  const tools = { hand: pan, brush: draws ? point : brush, eraser: draws ? point : eraser, polygon: draws ? point : polygon };
  const begin = event.button === 1 || spaceHeld ? pan : nearEdge(event) ? slide : tools[state.tool];
  drag = begin(event);
  redraw();
});
canvas.addEventListener("pointermove", (event) => {
  if (!state.shot) return;
  shown.pointer = at(event);
  drag?.move(event);
  redraw();
});
canvas.addEventListener("pointerup", () => { const done = drag; drag = null; done?.up(); redraw(); });
canvas.addEventListener("pointercancel", () => { drag?.end?.(); drag = null; redraw(); });
canvas.addEventListener("pointerleave", () => { shown.pointer = null; redraw(); });
canvas.addEventListener("dblclick", () => { if (state.tool === "polygon") closePolygon(); });
on("tool draws", () => { shown.polygon = null; cursor(); });
on("chosen frame", () => { shown.corner = -1; });
export const busy = () => Boolean(drag);
