// The values of the pixel under the pointer. A page from disk may not read pixels of its pictures;
// those of frames at full size lie beside them as scripts, and are loaded when they are asked for.
"use strict";

const Readout = (() => {
  const wanted = new Map();
  const known = new Map();
  const classes = ["background", "unknown", "subject"];

  async function pixels(address) {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    return context;
  }

  // A script of values calls this: addresses of its pictures, by kind.
  async function take(name, pictures) {
    const found = {};
    for (const [kind, address] of Object.entries(pictures)) found[kind] = await pixels(address);
    known.clear(); // one frame at a time: at full size they are large
    known.set(name, found);
    wanted.get(name)?.();
  }

  function load(name) {
    if (known.has(name) || wanted.has(name)) return;
    const script = document.createElement("script");
    wanted.set(name, () => { wanted.delete(name); script.remove(); });
    script.src = name;
    document.head.append(script);
  }

  // What is known of a pixel, in words; empty while it loads, null where it never will be.
  function at(name, x, y) {
    if (!name) return null;
    load(name);
    const found = known.get(name);
    if (!found) return "";
    const read = (kind) => found[kind] && found[kind].getImageData(x, y, 1, 1).data;
    const parts = [];
    const [plate, packed] = [read("plate"), read("alpha")];
    if (plate) parts.push(`plate ${plate[0]} ${plate[1]} ${plate[2]}`);
    if (packed) {
      parts.push(`alpha ${((packed[0] * 256 + packed[1]) / 65535).toFixed(4)}`);
      if (packed[2] < 9) {
        parts.push(`trimap ${classes[Math.floor(packed[2] / 3)]}`, `adapted ${classes[packed[2] % 3]}`);
      }
    }
    return parts.join(" · ");
  }

  return { take, at };
})();
