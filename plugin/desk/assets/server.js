// What is asked of the server, and what it says by itself.

export class Refused extends Error {
  constructor(status, told) {
    super([told.what, told.where, told.fix].filter(Boolean).join(" · ") || `refused (${status})`);
    this.status = status;
  }
}

async function answer(response) {
  if (response.ok) return response.json();
  const text = await response.text();
  let told = { what: text.slice(0, 300) };
  try { told = JSON.parse(text); } catch { /* words, not JSON */ }
  throw new Refused(response.status, told);
}

export async function get(path, signal) {
  return answer(await fetch(path, { signal }));
}

export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  return answer(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

export async function bitmap(path, signal) {
  const response = await fetch(path, { signal });
  if (!response.ok) return answer(response);
  return createImageBitmap(await response.blob());
}

// Calls `heard(name)` for what has changed, and with "all" when it is back after being away.
export function listen(heard, away) {
  const source = new EventSource("/events");
  let open = false;
  source.addEventListener("message", (event) => heard(JSON.parse(event.data).changed));
  source.addEventListener("open", () => { if (open) heard("all"); open = true; away(false); });
  source.addEventListener("error", () => away(true));
}
