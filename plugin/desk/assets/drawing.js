// What is drawn over the frame: the stroke under way, polygons with their keys, the brush's ring.

import { COLOURS, on, part, state, within } from "./state.js";
import { drawPrompts } from "./prompts.js";
import { place, redraw, whenDrawn } from "./stage.js";

const canvas = part("drawing");
const context = canvas.getContext("2d");
export const shown = {
  strokes: [],     // under way, or sent and not yet seen in the trimap: { set, radius, points }
  erased: [],      // rules that the eraser has touched
  polygon: null,   // under way: points
  pointer: null,   // where the brush is, in pixels of the display window
  corner: -1,      // of the chosen polygon
  held: null,      // the chosen polygon while a corner of it is dragged
  box: null,       // a prompt's, while it is dragged: two corners
};

// From pixels of the display window, as the override file counts, to the canvas.
export function toCanvas([x, y]) {
  const { scale, left, top, aspect } = place();
  const [dx, dy] = state.shot.offset;
  return [left + (x - dx) * scale * aspect, top + (y - dy) * scale];
}

export const chosenRule = () => state.rules.rules.find((rule) => rule.id === state.chosen);

// The corners of a polygon rule on a frame, and whether it is keyed there.
export function corners(rule, frame) {
  const keys = Object.keys(rule.polygon).map(Number).sort((a, b) => a - b);
  const before = keys.filter((key) => key <= frame).pop() ?? keys[0];
  const after = keys.find((key) => key >= frame) ?? keys[keys.length - 1];
  const [a, b] = [rule.polygon[before], rule.polygon[after]];
  if (before === after) return { points: a, keyed: before === frame, keys };
  const share = (frame - before) / (after - before);
  const points = a.map(([x, y], i) => [x + (b[i][0] - x) * share, y + (b[i][1] - y) * share]);
  return { points, keyed: false, keys };
}

function trace(points) {
  context.beginPath();
  points.map(toCanvas).forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
}

function stroke({ set, radius, points }, alpha, colour) {
  const { scale, aspect } = place();
  context.save();
  context.globalAlpha = alpha;
  context.strokeStyle = context.fillStyle = colour || COLOURS[set];
  context.lineCap = context.lineJoin = "round";
  trace(points.length > 1 ? points : [points[0], [points[0][0] + 1e-3, points[0][1]]]);
  context.scale(aspect, 1);  // a round brush is as wide as its pixels
  context.lineWidth = 2 * radius * scale;
  context.stroke();
  context.restore();
}

function polygon(rule, chosen) {
  const now = corners(rule, state.frame);
  const points = (chosen && shown.held) || now.points;
  const keyed = now.keyed || (chosen && Boolean(shown.held));
  const there = within(rule.frames, state.frame);
  context.save();
  context.strokeStyle = COLOURS[rule.set];
  context.globalAlpha = there ? 1 : 0.5;
  context.lineWidth = chosen ? 2.5 : 1.5;
  context.setLineDash(keyed ? [] : [7, 5]);  // between keys it is dashed
  trace(points);
  context.closePath();
  context.stroke();
  if (chosen) handles(points, keyed, rule.set);
  context.restore();
}

function handles(points, keyed, set) {
  context.setLineDash([]);
  points.map(toCanvas).forEach(([x, y], i) => {
    context.beginPath();
    context.rect(x - 4.5, y - 4.5, 9, 9);
    context.fillStyle = i === shown.corner ? "#fff" : keyed ? COLOURS[set] : "#0008";
    context.strokeStyle = i === shown.corner ? "#000" : "#fff";
    context.lineWidth = 1.5;
    context.fill();
    context.stroke();
  });
}

function ring() {
  const { scale, aspect } = place();
  const [x, y] = toCanvas(shown.pointer);
  const radius = state.radius * scale;
  for (const [width, colour] of [[3, "#000a"], [1.5, state.tool === "eraser" ? "#fff" : COLOURS[state.set]]]) {
    context.beginPath();
    context.ellipse(x, y, radius * aspect, radius, 0, 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
}

whenDrawn(() => {
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (const one of shown.strokes) stroke(one, 0.55);
  for (const rule of shown.erased) stroke({ ...rule.stroke, set: rule.set }, 0.8, "#fff");
  if (state.tool === "polygon" && state.draws === "trimap") {
    for (const rule of state.rules.rules) {
      if (rule.polygon && (rule.id === state.chosen || within(rule.frames, state.frame))) {
        polygon(rule, rule.id === state.chosen);
      }
    }
  }
  if (shown.polygon) {
    context.strokeStyle = COLOURS[state.set];
    context.lineWidth = 2;
    trace(shown.pointer ? [...shown.polygon, shown.pointer] : shown.polygon);
    context.stroke();
    handles(shown.polygon, true, state.set);
  }
  if (state.draws === "prompt") drawPrompts(context, toCanvas, shown.box);
  if (shown.pointer && state.draws !== "prompt" && (state.tool === "brush" || state.tool === "eraser")) ring();
});
on("rules keys frame tool draws set radius", redraw);
