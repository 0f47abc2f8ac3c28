// One face at a time, large: swipe right or Enter confirms it, swipe left or N says "not this".
// And what fingers do elsewhere: a long press previews.

import { isOpen } from "./board.js";
import { count, el } from "./dom.js";
import { label } from "./keys.js";
import * as preview from "./preview.js";
import { crop } from "./server.js";

const LONG = 450;
const FAR = 70;

let isOn = false;

// Views that can show one face at a time.
const VIEWS = ["sure", "doubtful"];

export const isSingle = () => isOn;

export function toggle() {
  isOn = !isOn;
  return isOn;
}

class Card {
  // does: { confirm, reject, toggle }
  constructor(board, does) {
    this.board = board;
    this.image = el("img", { alt: "", width: "150", height: "150", draggable: "false" });
    this.said = el("p", { class: "card-said", "aria-live": "polite" });
    this.title = el("h2", {});
    this.left = el("p", { class: "faint" });
    this.references = el("div", {});
    this.face = el("div", { class: "single-face" }, this.image);
    this.element = el("section", { class: "single", "aria-label": "One face", tabindex: "-1" },
      this.face, this.title, this.said, this.references,
      el("div", { class: "buttons" },
        el("button", { type: "button", onclick: does.reject }, el("kbd", {}, label("reject")), " Not this"),
        el("button", { type: "button", class: "main", onclick: does.confirm }, el("kbd", {}, "Enter"), " Confirm")),
      el("p", { class: "faint" }, "Swipe right: confirm. Swipe left: not this."), this.left);
    this.#listen(does);
    this.follow();
  }

  #listen({ confirm, reject }) {
    let from = null;
    const move = (by) => {
      this.face.style.transform = by ? `translateX(${by}px) rotate(${by / 40}deg)` : "";
      this.element.dataset.swipe = by > FAR ? "right" : by < -FAR ? "left" : "";
    };
    this.element.addEventListener("pointerdown", (event) => {
      if (event.target.closest("button")) return;
      from = event.clientX;
      this.element.setPointerCapture(event.pointerId);
    });
    this.element.addEventListener("pointermove", (event) => { if (from !== null) move(event.clientX - from); });
    const end = (event) => {
      if (from === null) return;
      const by = event.type === "pointerup" ? event.clientX - from : 0;
      from = null;
      move(0);
      if (by > FAR) confirm();
      else if (by < -FAR) reject();
    };
    this.element.addEventListener("pointerup", end);
    this.element.addEventListener("pointercancel", end);
  }

  follow() {
    const { cell } = this.board;
    if (!cell) return;
    const { face, group } = cell;
    this.image.src = crop(face.id, true);
    this.title.textContent = isOpen(face) ? `${group.name}?` : group.name;
    const isUntouched = face.decided === "undecided" && !cell.trouble;
    this.said.textContent = isUntouched ? face.words : cell.caption.textContent;
    this.element.dataset.state = cell.trouble ? "trouble" : face.decided;
    const beside = group.element.querySelector(".references") ?? document.querySelector(".heading .references");
    this.references.replaceChildren(...(beside ? [beside.cloneNode(true)] : []));
    const open = this.board.open().length;
    this.left.textContent = open ? `${count(open, "face")} left on this screen` : "All are decided.";
  }
}

let card = null;

// Puts the card in the place of the board, or takes it away; `view` says where we are. Returns what
// takes the focus, or null.
export function arrange(view, board, main, does) {
  card?.element.remove();
  card = null;
  const can = VIEWS.includes(view) && Boolean(board?.cells.length);
  main.classList.toggle("one-at-a-time", can && isOn);
  main.querySelector(".one-switch")?.remove();
  if (!can) return null;
  const text = isOn ? "All faces" : "One at a time";
  main.querySelector("h1").after(el("button", { type: "button", class: "one-switch quiet", onclick: does.toggle }, el("kbd", {}, label("single")), ` ${text}`));
  board.each = isOn || board.eachAtFirst;
  if (!isOn) return null;
  card = new Card(board, does);
  board.element.before(card.element);
  return card.element;
}

export const follow = () => card?.follow();

// A long press on a face shows the whole picture; the click that follows it ticks nothing.
export function listen(main, cellOf) {
  let timer = null;
  let at = null;
  let isHeld = false;
  const stop = () => { clearTimeout(timer); timer = null; };
  main.addEventListener("pointerdown", (event) => {
    isHeld = false;
    const element = event.pointerType === "touch" ? event.target.closest(".face") : null;
    const cell = element && cellOf(element);
    if (!cell) return;
    at = [event.clientX, event.clientY];
    timer = setTimeout(() => {
      isHeld = true;
      preview.show(cell.face).catch(() => preview.hide());
    }, LONG);
  });
  main.addEventListener("pointermove", (event) => {
    if (timer && Math.hypot(event.clientX - at[0], event.clientY - at[1]) > 10) stop();
  });
  for (const kind of ["pointerup", "pointercancel", "scroll"]) main.addEventListener(kind, stop);
  main.addEventListener("contextmenu", (event) => { if (event.target.closest(".face") && (isHeld || timer)) event.preventDefault(); });
  main.addEventListener("click", (event) => {
    if (!isHeld) return;
    isHeld = false;
    event.stopPropagation();
    event.preventDefault();
  }, true);
}
