// Playback: one step after another at the shot's rate, by the clock and not by the count of steps.
"use strict";

const Play = {
  // `step(by)` shows the frame so many further; `button` starts and stops, and says so.
  make({ rate, step, button }) {
    let since = null;
    let shown = 0;

    function tick(now) {
      if (since === null) return;
      const due = Math.floor(((now - since) / 1000) * rate);
      if (due > shown) {
        step(due - shown);
        shown = due;
      }
      requestAnimationFrame(tick);
    }

    function set(on) {
      since = on ? performance.now() : null;
      shown = 0;
      button.setAttribute("aria-pressed", String(on));
      button.textContent = on ? "❚❚ stop" : "▶ play";
      if (on) requestAnimationFrame(tick);
      else step(0);
    }

    const self = { set, toggle: () => set(since === null), get on() { return since !== null; } };
    button.addEventListener("click", self.toggle);
    return self;
  },
};
