// Drawing a head that no detector saw: by dragging, or by arrow keys.

import { remember } from "./board.js";
import { el, say } from "./dom.js";
import { write } from "./server.js";

const FIRST = 0.25;
const LEAST = 12;
const STEPS = 50;
const SLIP = 6;

// Lets a head be drawn on the canvas of a picture. Returns a bar for it, and what begins it.
// `show` is called with the number of the new head, or of a face beside one that was taken back.
export function drawable(canvas, picture, show) {
  const { width, height } = picture;
  const short = Math.min(width, height);
  let at = null;
  let busy = false;

  const box = el("div", {
    class: "box drawn", role: "application", tabindex: "0",
    "aria-label": "Box around a head", "aria-describedby": "draw-help",
  });
  const bar = el("div", { class: "drawbar" });

  const paint = () => {
    canvas.classList.toggle("drawing", canvas.dataset.draw === "on");
    if (!at) {
      box.remove();
      return;
    }
    if (!box.isConnected) canvas.append(box);
    box.style.left = `${(100 * at.left) / width}%`;
    box.style.top = `${(100 * at.top) / height}%`;
    box.style.width = `${(100 * at.wide) / width}%`;
    box.style.height = `${(100 * at.high) / height}%`;
  };
  const tell = () => say(`Box of ${Math.round(at.wide)} x ${Math.round(at.high)} pixels, `
    + `${Math.round((100 * at.left) / width)} % from the left, ${Math.round((100 * at.top) / height)} % from the top.`);
  const put = (left, top, wide, high) => {
    const [across, down] = [Math.min(Math.max(wide, LEAST), width), Math.min(Math.max(high, LEAST), height)];
    at = {
      left: Math.min(Math.max(left, 0), width - across), top: Math.min(Math.max(top, 0), height - down),
      wide: across, high: down,
    };
    paint();
  };

  const showBar = () => {
    const on = canvas.dataset.draw === "on";
    bar.replaceChildren(...(on ? [
      el("span", { id: "draw-help", class: "faint" },
        "Drag around the head, with hair and chin. Arrows move the box, + and - size it."),
      el("button", { type: "button", class: "main", onclick: keep }, el("kbd", {}, "Enter"), " Keep"),
      el("button", { type: "button", onclick: leave }, el("kbd", {}, "Esc"), " Leave"),
    ] : [
      el("button", { type: "button", onclick: begin }, el("kbd", {}, "D"), " Draw a missed head"),
    ]));
  };

  function begin() {
    canvas.dataset.draw = "on";
    const side = FIRST * short;
    if (!at) put((width - side) / 2, (height - side) / 2, side, side);
    showBar();
    paint();
    box.focus();
    tell();
  }

  function leave() {
    delete canvas.dataset.draw;
    at = null;
    showBar();
    paint();
    document.querySelector(".board")?.focus({ preventScroll: true });
  }

  async function keep() {
    if (!at || busy) return;
    busy = true;
    const given = { face: picture.face, box: [at.left, at.top, at.left + at.wide, at.top + at.high] };
    try {
      const face = await write("heads", () => given);
      remember({ back: () => write("heads/erase", () => ({ id: face.id, version: face.version })).then(() => {
        say("Undone: the head that was drawn is gone.");
        show(picture.face);
      }, (error) => say(error.message)) });
      show(face.id);
      say(face.character === null ? "Drawn. / names it." : `Drawn; perhaps ${face.character}.`);
    } catch (error) {
      say(`Not drawn: ${error.message}`);
    } finally {
      busy = false;
    }
  }

  const grow = (by) => put(at.left - by / 2, at.top - by / 2, at.wide + by, at.high + by);
  const step = short / STEPS;
  const KEYS = {
    ArrowLeft: (by) => put(at.left - by, at.top, at.wide, at.high),
    ArrowRight: (by) => put(at.left + by, at.top, at.wide, at.high),
    ArrowUp: (by) => put(at.left, at.top - by, at.wide, at.high),
    ArrowDown: (by) => put(at.left, at.top + by, at.wide, at.high),
    "+": grow, "=": grow, "-": (by) => grow(-by), _: (by) => grow(-by),
  };
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") keep();
    else if (event.key === "Escape") leave();
    else if (Object.hasOwn(KEYS, event.key)) {
      // With Shift by the pixel.
      KEYS[event.key](event.shiftKey && event.key.startsWith("Arrow") ? 1 : step);
      tell();
    } else if (event.key === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
  });

  const place = (event) => {
    const frame = canvas.getBoundingClientRect();
    return [
      ((event.clientX - frame.left) / frame.width) * width,
      ((event.clientY - frame.top) / frame.height) * height,
    ];
  };
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    // A finger scrolls, unless a head is being drawn.
    if (event.button !== 0 || (event.pointerType !== "mouse" && canvas.dataset.draw !== "on")) return;
    const [x, y] = place(event);
    const inside = at && x > at.left && x < at.left + at.wide && y > at.top && y < at.top + at.high;
    from = { x, y, screen: [event.clientX, event.clientY], moved: false, box: inside ? { ...at } : null };
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    const slip = Math.hypot(event.clientX - from.screen[0], event.clientY - from.screen[1]);
    if (!from.moved && slip < SLIP) return;
    from.moved = true;
    if (canvas.dataset.draw !== "on") {
      canvas.dataset.draw = "on";
      showBar();
    }
    const [x, y] = place(event);
    if (from.box) put(from.box.left + x - from.x, from.box.top + y - from.y, from.box.wide, from.box.high);
    else {
      const [left, top] = [Math.max(Math.min(x, from.x), 0), Math.max(Math.min(y, from.y), 0)];
      put(left, top, Math.min(Math.max(x, from.x), width) - left, Math.min(Math.max(y, from.y), height) - top);
    }
  });
  const end = () => {
    if (from?.moved) {
      box.focus();
      tell();
    }
    from = null;
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);

  showBar();
  return { bar, begin };
}
