// Where the desk itself shows the report, its frames lead there; elsewhere the command stands.
"use strict";

(() => {
  if (!location.protocol.startsWith("http") || location.pathname !== "/report/index.html") return;
  const { make } = Report;
  for (const suspect of document.querySelectorAll(".worst [data-frame]")) {
    const { frame } = suspect.dataset;
    const link = make("a", { href: `/#frame-${frame}`, className: "desk" }, `Correct ${frame} at the desk`);
    suspect.lastElementChild.prepend(make("p", {}, link));
  }
  document.getElementById("desk").replaceWith(make("p", {}, make("a", { href: "/" }, "Back to the desk")));
})();
