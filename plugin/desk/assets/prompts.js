// Points and boxes for SAM 2, as `--prompt` has them: pixels of the plate's own window.

import { pointOf } from "./stage.js";
import { state } from "./state.js";

const NEAR = 9;  // screen pixels
const [ON, OFF] = ["#2bd94a", "#ff4030"];

// `1001=point:320,180` as { frame, kind, points }, points of the display window.
function parsed(text) {
  const match = /^(-?\d+)=(point|not|box):(.*)$/.exec(text);
  if (!match) return null;
  const values = match[3].split(",").map(Number);
  const [dx, dy] = state.shot.offset;
  const points = [];
  for (let i = 0; i + 1 < values.length; i += 2) points.push([values[i] + dx, values[i + 1] + dy]);
  return { text, frame: Number(match[1]), kind: match[2], points };
}

export const promptsOf = (frame) => state.keys.prompts.map(parsed).filter((one) => one?.frame === frame);

// What a press, or a drag to another corner, says of this frame.
export function promptOf(start, end) {
  const [dx, dy] = state.shot.offset;
  const { frame, set, shot } = state;
  const within = ([x, y]) => [Math.min(shot.width, Math.max(0, x - dx)), Math.min(shot.height, Math.max(0, y - dy))];
  const round = (values) => values.map((value) => Math.round(value * 10) / 10).join(",");
  if (!end) return `${frame}=${set === "background" ? "not" : "point"}:${round(within(start))}`;
  const [a, b] = [within(start), within(end)];
  const sides = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  return `${frame}=box:${round(sides)}`;
}

export function promptNear(event) {
  const { column, row } = pointOf(event);
  const here = [column + state.shot.offset[0], row + state.shot.offset[1]];
  const reach = NEAR * (pointOf({ clientX: event.clientX + 1, clientY: event.clientY }).column - column);
  const found = promptsOf(state.frame).find((one) => one.points.some(([x, y]) =>
    Math.hypot(x - here[0], y - here[1]) <= reach));
  return found?.text;
}

export function drawPrompts(context, toCanvas, dragged) {
  context.save();
  context.lineWidth = 2;
  const box = (a, b) => {
    context.strokeStyle = ON;
    context.strokeRect(a[0], a[1], b[0] - a[0], b[1] - a[1]);
  };
  for (const { kind, points } of promptsOf(state.frame)) {
    const places = points.map(toCanvas);
    if (kind === "box") box(places[0], places[1]);
    for (const [x, y] of kind === "box" ? [] : places) {
      context.fillStyle = kind === "not" ? OFF : ON;
      context.strokeStyle = "#fff";
      context.beginPath();
      context.arc(x, y, 7, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
      context.beginPath();
      context.moveTo(x - 4, y);
      context.lineTo(x + 4, y);
      if (kind === "point") { context.moveTo(x, y - 4); context.lineTo(x, y + 4); }
      context.stroke();
    }
  }
  if (dragged) box(toCanvas(dragged[0]), toCanvas(dragged[1]));
  context.restore();
}
