// Which key does what. Letters and signs can be changed; this browser keeps them.

import { el } from "./dom.js";

const KEPT = "gallery-keys";
const dialog = document.getElementById("keys");

// Those that can be changed: what is done, by which key at first, and what the list says of it.
const ACTIONS = [
  ["screen", "y", "confirm all that is left on the screen"],
  ["screen_on", "Y", "confirm all that is left on the screen, then the next screen"],
  ["reject", "n", "not this name; in Sure and Near on an unticked face: all unticked ones of the name; in Pairs: not the same"],
  ["told", "N", "in Sure: the ticked faces of the screen are who they are said to be, no other one is; then the next screen"],
  ["ignore", "i", "ignore: nobody wants to know"],
  ["no_face", "f", "no face"],
  ["name", "/", "name the faces"],
  ["again", ".", "the last name again"],
  ["join", "m", "join the groups of a range in hand, else those with ticked faces, else this one and the one before"],
  ["references", "r", "use the confirmed faces that teach most as references: of the names on the screen, in Today of all"],
  ["references_all", "R", "the same of all names, from any view"],
  ["split", "s", "split the range in hand, else the ticked faces, off into a group of their own"],
  ["tick", "x", "tick what is at hand"],
  ["untick", "X", "untick what is at hand"],
  ["row", "a", "take the whole row in hand"],
  ["single", "v", "one face at a time, large, and back to all; in Sure and Doubtful"],
  ["open", "o", "open the picture with all its faces"],
  ["like", "l", "see all faces like this one"],
  ["draw", "d", "in a picture: draw a head that was missed"],
  ["undo", "u", "undo; Ctrl+Z does it, too"],
  ["next", "]", "next screen"],
  ["back", "[", "back"],
  ["nearer", "+", "a time line nearer"],
  ["farther", "-", "a time line farther"],
  ["go", "g", "go to another view: then T, S, D, C, P, E, A or H, the first letter of its name, R for Near, F for Search, N for Characters"],
  ["help", "?", "this list"],
];

const FIXED = [
  ["Arrows", "move; with Shift, take a range in hand"],
  ["Enter", "confirm the ticked faces, else the row; in Pairs: the same; once all are decided, the next screen"],
  ["Shift+Enter", "confirm all ticked faces of the screen, then the next screen"],
  ["1 to 9", "one of the names beside a row"],
  ["Space", "see the whole picture"],
  ["Esc", "close what is open; let go of a range"],
];

const changed = new Map(kept());

function kept() {
  try {
    const found = Object.entries(JSON.parse(localStorage.getItem(KEPT) ?? "{}"));
    return found.filter(([id, key]) => ACTIONS.some(([one]) => one === id) && isFree(key));
  } catch {
    // Nothing is kept here, or something else is.
    return [];
  }
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(changed)));
  } catch { /* It holds until the page is closed. */ }
}

// Keys of one sign, but for those that always mean the same.
function isFree(key) {
  return typeof key === "string" && [...key].length === 1 && !/[\s1-9]/.test(key);
}

const keyOf = (id) => changed.get(id) ?? ACTIONS.find(([one]) => one === id)[1];

// What a key does; a capital letter does what the small one does unless it has work of its own.
export function actionOf(key) {
  const find = (wanted) => ACTIONS.find(([id]) => keyOf(id) === wanted)?.[0];
  return find(key) ?? find(key.toLowerCase()) ?? null;
}

// How a key is written.
export function label(id) {
  const key = keyOf(id);
  if (key.toLowerCase() === key.toUpperCase()) return key;
  return key === key.toUpperCase() ? `Shift+${key}` : key.toUpperCase();
}

// Gives an action a key; returns why not, or "".
function change(id, key) {
  if (!isFree(key)) return "This key always means the same. Take a letter or a sign.";
  const holder = ACTIONS.find(([one]) => one !== id && keyOf(one) === key);
  if (holder) return `“${key}” is taken: ${holder[2]}.`;
  if (key === ACTIONS.find(([one]) => one === id)[1]) changed.delete(id);
  else changed.set(id, key);
  keep();
  return "";
}

export const isOpen = () => dialog.open;

export function show(told) {
  const said = el("p", { class: "trouble", role: "alert" });
  const rows = ACTIONS.map(([id, , what]) => {
    const button = el("button", { type: "button", class: "key", "aria-label": `${label(id)}: ${what}. Change it.` }, el("kbd", {}, label(id)));
    const wait = (event) => {
      if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      const why = event.key === "Escape" ? "" : change(id, event.key);
      said.textContent = why;
      if (!why) paint();
    };
    const paint = () => {
      button.removeEventListener("keydown", wait);
      button.classList.remove("waiting");
      button.replaceChildren(el("kbd", {}, label(id)));
      button.setAttribute("aria-label", `${label(id)}: ${what}. Change it.`);
      told();
    };
    button.addEventListener("click", () => {
      if (button.classList.contains("waiting")) return;
      button.classList.add("waiting");
      button.replaceChildren("press a key");
      button.addEventListener("keydown", wait);
    });
    button.addEventListener("blur", paint);
    return [el("dt", {}, button), el("dd", {}, what)];
  });
  dialog.replaceChildren(
    el("div", { class: "keys-head" }, el("h2", { id: "keys-title" }, "Keys"),
      el("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Close")),
    el("p", { class: "faint" }, "A key acts on a range in hand, else on the ticked faces of a row, else on the face or row at hand; the bar says on how many. No key turns a mixed choice round."),
    el("dl", {}, FIXED.flatMap(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)])),
    el("h3", {}, "Yours to change"),
    el("p", { class: "faint" }, "Take a key's button, then press another key. This browser keeps it."),
    said,
    el("dl", {}, rows.flat()),
    el("div", { class: "buttons" },
      el("button", { type: "button", onclick: () => { changed.clear(); keep(); told(); dialog.close(); show(told); } }, "All as at first")));
  if (!dialog.open) dialog.showModal();
}
