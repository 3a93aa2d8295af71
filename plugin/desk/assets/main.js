// The page: put together, brought up to date when the server says that something has changed.

import { say, sayWith } from "./changes.js";
import "./drawing.js";
import "./keys.js";
import "./masks.js";
import "./rules.js";
import { get, listen } from "./server.js";
import { pointOf, redraw, VIEWS } from "./stage.js";
import { draws } from "./masks.js";
import { make, on, part, put, state, touch } from "./state.js";
import { held, tryAgain } from "./tiles.js";
import "./tools.js";

history.replaceState(null, "", "/" + location.hash);  // the token is not for the eyes of others

sayWith((text, bad) => {
  part("said").textContent = text;
  part("said").classList.toggle("bad", bad);
});

VIEWS.forEach(([name, label], i) => {
  const button = make("button", { type: "button", "data-view": name }, label, " ", make("kbd", {}, String(i + 1)));
  button.addEventListener("click", () => put({ view: name }));
  part("views").append(button);
  part("other").append(make("option", { value: name }, label));
});
part("other").prepend(make("option", { value: "" }, "none"));
part("other").addEventListener("change", () => put({ other: part("other").value }));
part("colour").value = state.colour;
part("colour").addEventListener("input", () => put({ colour: part("colour").value, view: "comp" }));
on("view other", () => {
  for (const button of part("views").children) {
    button.setAttribute("aria-pressed", String(button.dataset.view === state.view));
  }
  part("other").value = state.other;
});

for (const [name, label, letter] of [["hand", "Hand", "H"], ["brush", "Brush", "B"],
  ["eraser", "Eraser", "E"], ["polygon", "Polygon", "P"]]) {
  const button = make("button", { type: "button", "data-tool": name }, label, " ", make("kbd", {}, letter));
  button.addEventListener("click", () => put({ tool: name }));
  part("tools").append(button);
}
on("tool", () => {
  for (const button of part("tools").children) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === state.tool));
  }
});

// What the frame's pictures are called now.
let turn = 0;
async function ask() {
  const mine = ++turn;
  put({ fresh: false });
  try {
    const info = await get(`/api/frame/${state.frame}`);
    if (mine === turn) put({ info, fresh: true });
  } catch (error) {
    if (mine === turn) say(error.message, true);
  }
}
on("frame", ask);
on("frame", () => { history.replaceState(null, "", `#frame-${state.frame}`); });

async function heard(what) {
  const names = what === "all" ? ["shot", "rules", "marks", "job", "keys"] : [what];
  tryAgain();
  try {
    for (const name of names) put({ [name]: await get(`/api/${name}`) });
  } catch (error) {
    say(error.message, true);
  }
}
on("rules marks keys", () => {
  if (!state.shot) return;
  if (state.rules !== state.informed) { ask(); return; }
  state.informed = null;
  turn += 1;  // what was asked before is older
});
on("shot", () => {
  const { shot, frame } = state;
  if (!shot.frames.includes(frame)) put({ frame: shot.frames[0] });
});

// The pixel under the pointer, asked for when the pointer rests or moves on, one at a time.
let asking = false, under = null;
async function readOut() {
  if (asking || !under) return;
  asking = true;
  const { column, row, frame } = under;
  under = null;
  try {
    const pixel = await get(`/api/pixel/${frame}/${column}/${row}`);
    const [dx, dy] = state.shot.offset;
    const rgb = pixel.rgb.map((value) => value.toFixed(4)).join(" ");
    const adapted = pixel.adapted && pixel.adapted !== pixel.class ? ` → ${pixel.adapted}` : "";
    const alpha = pixel.alpha === null ? "" : `   alpha ${pixel.alpha.toFixed(4)}`;
    part("readout").textContent = `${column + dx + 0.5}, ${row + dy + 0.5}   RGB ${rgb}   ${pixel.class}${adapted}${alpha}`;
  } catch { /* the next one will tell */ }
  asking = false;
  readOut();
}
part("picture").addEventListener("pointermove", (event) => {
  if (!state.shot) return;
  const { column, row } = pointOf(event);
  if (column < 0 || row < 0 || column >= state.shot.width || row >= state.shot.height) {
    part("readout").textContent = "";
    return;
  }
  under = { column: Math.floor(column), row: Math.floor(row), frame: state.frame };
  readOut();
});

const sayWhere = () => say(`Corrections are kept in ${state.shot.file}. ? shows the keys.`);
let bare = false;
on("keys", () => {
  if (bare && !state.keys.bare) sayWhere();
  bare = Boolean(state.keys.bare);
});

async function begin() {
  const shot = await get("/api/shot");
  const asked = Number(/^#frame-(-?\d+)/.exec(location.hash)?.[1]);
  const frame = shot.frames.includes(asked) ? asked : shot.frames[0];
  if (shot.picture) {
    document.querySelector("[data-view=over]").firstChild.data = "Over picture";
    document.querySelector("#other option[value=over]").textContent = "Over picture";
  }
  document.title = `${shot.name} · AdaMatte desk`;
  part("name").textContent = shot.name;
  part("name").title = `${shot.plate}\n${shot.file}`;
  put({ shot, frame, first: shot.frames[0], last: shot.frames[shot.frames.length - 1] });
  touch("view", "tool", "set", "radius", "holds");
  for (const name of ["rules", "marks", "job", "keys"]) await heard(name);
  if (state.keys.bare && !Object.keys(state.keys.keys).length) {
    draws("key");
    put({ tool: "polygon" });
    say("No masks yet. Press around the subject, corner by corner; Enter closes the shape. Or paint it: B. ? shows the keys.");
  } else sayWhere();
  listen(heard, (gone) => { if (gone) say("The desk's server does not answer; nothing is lost that it has written.", true); });
  part("picture").focus();
}
window.Desk = { state, held, redraw };  // for tests, and for the curious
begin().catch((error) => say(error.message, true));
