// The panel: the class and the brush, the range of a change, bands, the corrections, the job.

import { band, change, pending, redo, remove, replace, say, undo } from "./changes.js";
import { corners } from "./drawing.js";
import { post } from "./server.js";
import { COLOURS, hold, make, on, part, put, runs, state, within } from "./state.js";

const CLASSES = [["foreground", "Subject", "F"], ["unknown", "Unknown", "U"], ["background", "Background", "G"]];
const MOST_SHOWN = 200;

for (const [name, label, letter] of CLASSES) {
  const button = make("button", { type: "button", role: "radio", "data-set": name },
    label, make("kbd", {}, letter));
  button.title = letter;
  button.style.setProperty("--class", COLOURS[name]);
  button.addEventListener("click", () => put({ set: name }));
  part("classes").append(button);
}
on("set", () => {
  for (const button of part("classes").children) {
    button.setAttribute("aria-checked", String(button.dataset.set === state.set));
  }
});

// The brush: its slider grows as its square, so that small ones can be told apart.
part("size").addEventListener("input", () => put({ radius: Math.round(part("size").value ** 2 / 40) / 10 || 0.5 }));
on("radius", () => {
  part("size").value = Math.sqrt(state.radius * 400);
  part("size-said").textContent = `${state.radius} px`;
});

part("holds").addEventListener("change", () => put({ holds: part("holds").value }));
for (const [id, name] of [["in", "first"], ["out", "last"]]) {
  part(id).addEventListener("change", () => {
    const { frames } = state.shot;
    const given = Math.round(Number(part(id).value));
    const number = Number.isFinite(given) && part(id).value.trim() ? given : state[name];
    put({ [name]: hold(number, frames[0], frames[frames.length - 1]), holds: "range" });
    part(id).value = state[name];
  });
}
on("holds first last shot", () => {
  part("holds").value = state.holds;
  for (const [id, name] of [["in", "first"], ["out", "last"]]) {
    if (document.activeElement !== part(id)) part(id).value = state[name];
  }
});

// The band that holds on a frame: that of the last rule that says something of it.
function bandOf(frame) {
  const found = { ...state.shot.band };
  for (const rule of state.rules.rules) {
    if (rule.params && within(rule.frames, frame)) Object.assign(found, rule.params);
  }
  return found;
}
for (const name of ["erode", "dilate"]) {
  part(name).addEventListener("input", () => { part(`${name}-said`).textContent = `${part(name).value} px`; });
  part(name).addEventListener("change", () => {
    band({ erode: Number(part("erode").value), dilate: Number(part("dilate").value) });
  });
}
on("rules frame shot", () => {
  if (!state.shot || pending()) return;  // what is shown is newer than what is known
  const now = bandOf(state.frame);
  const set = state.rules.rules.some((rule) => rule.params && within(rule.frames, state.frame));
  for (const name of ["erode", "dilate"]) {
    part(name).value = now[name];
    part(`${name}-said`).textContent = `${now[name]} px`;
  }
  part("band-said").textContent = set ? "set for this frame, as it stands"
    : "the shot's own, wider where the plate's edge is soft; pixels of a 1080p frame";
  part("band").hidden = !state.shot.bands;
});

function words(rule) {
  if (rule.stroke) return `${rule.set} stroke, radius ${rule.stroke.radius}`;
  if (rule.polygon) return `${rule.set} polygon, keys ${corners(rule, state.frame).keys.join(", ")}`;
  if (rule.params) return Object.entries(rule.params).map(([name, value]) => `${name} ${value}`).join(", ");
  return `picture ${rule.image}`;
}

function item(rule) {
  const choose = make("button", { type: "button", title: "choose" }, make("strong", {}, rule.id), ` ${words(rule)}`);
  choose.addEventListener("click", () => {
    put({ chosen: rule.id, ...(rule.polygon ? { tool: "polygon" } : {}) });
  });
  const gone = make("button", { type: "button", className: "small", "aria-label": `Delete ${rule.id}` }, "Delete");
  gone.addEventListener("click", () => remove(rule));
  const frames = make("input", { value: rule.frames, "aria-label": `Frames of ${rule.id}`, spellcheck: false });
  frames.addEventListener("change", async () => {
    if (!await replace(rule, { ...rule, frames: frames.value.trim() })) frames.value = rule.frames;
  });
  const line = make("li", {}, make("div", { className: "head" }, choose, gone), frames);
  const keyed = rule.polygon && rule.polygon[state.frame] && Object.keys(rule.polygon).length > 1;
  if (keyed && rule.id === state.chosen) line.append(unkey(rule));
  line.classList.toggle("away", !within(rule.frames, state.frame));
  line.classList.toggle("chosen", rule.id === state.chosen);
  line.dataset.rule = rule.id;
  return line;
}

function unkey(rule) {
  const button = make("button", { type: "button", className: "small" }, `Remove the key on ${state.frame}`);
  button.addEventListener("click", () => {
    const { [state.frame]: _, ...polygon } = rule.polygon;
    replace(rule, { ...rule, polygon });
  });
  return button;
}

on("rules frame chosen", () => {
  const { rules } = state.rules;
  const here = part("here").checked;
  const wanted = rules.filter((rule) => !here || within(rule.frames, state.frame) || rule.id === state.chosen);
  const typed = part("rules").contains(document.activeElement) && document.activeElement.matches("input");
  if (typed && document.activeElement.value !== document.activeElement.defaultValue) return;
  part("rules").replaceChildren(...wanted.slice(-MOST_SHOWN).reverse().map(item));
  part("rules-count").textContent = rules.length ? `${wanted.length} of ${rules.length}, the last wins` : "none yet";
  part("undo").disabled = !state.rules.undo;
  part("redo").disabled = !state.rules.redo;
});
on("rules keys", () => {
  const { rules: { broken }, keys: { trouble } } = state;
  part("broken").hidden = !broken && !trouble;
  part("broken").textContent = broken
    ? `The override file was changed elsewhere and cannot be read; what is shown is from before. ${broken}`
    : trouble && `The shot cannot be matted as its files are now; what is shown is from before. ${trouble}`;
});
part("here").addEventListener("change", () => put({ rules: { ...state.rules } }));
part("undo").addEventListener("click", undo);
part("redo").addEventListener("click", redo);

export const removeChosen = () => {
  const rule = state.rules.rules.find((one) => one.id === state.chosen);
  if (rule) change({ was: rule });
};

// The job.
export async function matte() {
  try {
    put({ job: await post("/api/run") });
  } catch (error) {
    say(error.message, true);
  }
}
part("run").addEventListener("click", matte);
part("cancel").addEventListener("click", () => post("/api/cancel").catch((error) => say(error.message, true)));
on("job marks keys", () => {
  const { job, marks, keys } = state;
  const bare = keys.bare && !Object.keys(keys.keys).length && !keys.prompts.length;
  const going = job.state === "starting" || job.state === "running";
  part("run").disabled = going || bare || !(marks.due || keys.pending);
  part("run").textContent = bare ? "No masks yet" : keys.pending ? "Matte what changed"
    : marks.due ? `Matte what changed (${marks.due})` : "All as it should be";
  part("cancel").hidden = part("progress").hidden = !going;
  const failed = Object.keys(job.failed || {}).length;
  part("progress").max = job.total || 1;
  part("progress").value = (job.done || 0) + failed;
  const left = job.left_s ? `, about ${Math.ceil(job.left_s)} s left` : "";
  const counts = `${job.done || 0} of ${job.total || 0} frames`;
  part("job-said").textContent = { idle: "", starting: "starting …", running: counts + left,
    done: `done: ${counts}`, cancelled: `cancelled: ${counts}; the rest stays due`,
    failed: `failed: ${counts}. ${job.message || ""}` }[job.state];
  part("failures").replaceChildren(...Object.entries({ ...marks.failed, ...(job.failed || {}) }).slice(0, 20)
    .map(([frame, why]) => make("li", {}, `${frame}: ${why}`)));
  part("report").hidden = !marks.report;
});
