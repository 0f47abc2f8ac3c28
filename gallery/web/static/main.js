// The page: which view is shown, what keys do, and the bar of actions.

import { isOpen, undo } from "./board.js";
import { count, el, say } from "./dom.js";
import { characters } from "./enroll.js";
import * as naming from "./naming.js";
import * as preview from "./preview.js";
import * as searching from "./search.js";
import { write } from "./server.js";
import * as views from "./views.js";

const VIEWS = ["today", "sure", "doubtful", "clusters", "search", "characters", "history"];
const GO = { t: "today", s: "sure", d: "doubtful", c: "clusters", f: "search", n: "characters", h: "history" };
const BUILT = { ...views, ...searching, characters };
const main = document.getElementById("main");
const actions = document.getElementById("actions");
const keys = document.getElementById("keys");

const KEYS = [
  ["Arrows", "move; with Shift, take a range in hand"],
  ["Enter", "confirm the ticked faces, else the row; once all are decided, the next screen"],
  ["Y", "confirm all that is left on the screen"],
  ["N", "not this name"],
  ["I", "ignore: nobody wants to know"],
  ["F", "no face"],
  ["/", "name the faces"],
  [".", "the last name again"],
  ["1 to 9", "one of the names beside a row"],
  ["X, Shift+X", "tick what is at hand, untick it"],
  ["Space", "see the whole picture"],
  ["O", "open the picture with all its faces"],
  ["L", "see all faces like this one"],
  ["D", "in a picture: draw a head that was missed"],
  ["U, Ctrl+Z", "undo"],
  ["], [", "next screen, back"],
  ["G, then T S D C F N H", "go to Today, Sure, Doubtful, Clusters, Search, Characters, History"],
  ["Esc", "close what is open; let go of a range"],
];

let shown = {};
let route = "";

async function go() {
  const [, view = "today", ...parts] = (location.hash || "#/today").split("/");
  const asked = location.hash;
  route = asked;
  const build = VIEWS.includes(view) || ["picture", "like"].includes(view) ? BUILT[view] : views.today;
  let made;
  try {
    made = await build(parts.map(decodeURIComponent), { changed: bar, undoStep, again: go });
  } catch (error) {
    made = { content: [el("h1", {}, "This cannot be shown"), el("p", {}, error.message)], next: () => "#/today" };
  }
  // Another view was asked for meanwhile.
  if (route !== asked) return;
  shown = made;
  main.replaceChildren(...made.content.filter((one) => one !== null));
  main.dataset.view = view;
  mark(view);
  if (made.board?.cells.length) {
    made.board.move(made.at > 0 ? made.at : 0, false);
    made.board.element.focus({ preventScroll: true });
  } else main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  bar();
  const title = main.querySelector("h1")?.textContent;
  document.title = `${title} - ${document.body.dataset.title} - gallery`;
}

function mark(view) {
  const nav = document.getElementById("views");
  nav.replaceChildren(...VIEWS.map((one) => el(
    "a", { href: views.address(one), "aria-current": one === view ? "page" : null },
    one[0].toUpperCase() + one.slice(1))));
}

async function onward() {
  if (!shown.next) return;
  const to = await shown.next();
  if (to === undefined) return;
  if (to === location.hash) await go();
  else location.hash = to;
}

async function undoStep(step) {
  await write("undo", () => ({ step })).then(
    (answer) => say(`Undone for ${count(answer.step?.faces ?? 0, "face")}.`),
    (error) => say(error.message));
  await go();
}

// Who the faces of a row are said to be.
const nameOf = (board) => board.cell.group.name;

const choices = (board) => (board.preset
  ? board.cell.face.alternatives.filter((one) => one !== nameOf(board)) : board.cell.group.alternatives);

async function confirm() {
  const { board } = shown;
  if (!board?.cells.length) return onward();
  if (!board.open().length) return shown.back ? history.back() : onward();
  const name = nameOf(board);
  const meant = board.toConfirm();
  if (!meant.length) {
    if (board.preset || !board.moveOn()) return onward();
    return undefined;
  }
  if (name === null) return say("These have no name yet: / names them.");
  board.decide("confirm", name, meant);
  if (board.each) step(board);
  else if (!board.preset) board.moveOn();
  return undefined;
}

function confirmScreen() {
  const { board } = shown;
  if (board?.each) return say("Here Enter confirms the ticked faces, else the one at hand.");
  for (const group of board?.groups ?? []) {
    const own = board.open().filter((cell) => cell.group === group);
    if (group.name !== null) board.decide("confirm", group.name, own);
  }
  return undefined;
}

function act(action) {
  const { board } = shown;
  if (!board?.cells.length) return;
  const name = action === "reject" ? nameOf(board) : null;
  if (action === "reject" && name === null) {
    say("These have no name that could be wrong.");
    return;
  }
  board.decide(action, name, board.meant());
  step(board);
}

// Goes on to the next face that is open, where one alone was at hand.
function step(board) {
  if (board.hand().length !== 1) return;
  const later = board.cells.findIndex((cell, place) => place > board.at && isOpen(cell.face));
  if (later >= 0) board.move(later, false);
}

async function name(chosen) {
  const { board } = shown;
  if (!board?.cells.length) return;
  const meant = board.meant();
  const given = chosen ?? await naming.ask(meant.length);
  board.element.focus({ preventScroll: true });
  if (!given) return;
  naming.remember(given.name);
  board.decide("confirm", given.name, meant, { fresh: given.fresh });
  step(board);
}

const again = () => (naming.last()
  ? name({ name: naming.last(), fresh: false }) : say("Nobody was named yet."));

function choose(place) {
  const { board } = shown;
  const chosen = board?.cells.length ? choices(board)[place] : undefined;
  if (chosen === undefined) say(`There is no name ${place + 1} here.`);
  else name({ name: chosen, fresh: false });
}

function bar() {
  const { board } = shown;
  document.body.classList.toggle("acting", Boolean(board?.cells.length));
  actions.hidden = !board?.cells.length;
  if (actions.hidden) return;
  const who = nameOf(board);
  const all = board.toConfirm().length;
  const meant = board.meant().length;
  const left = board.open().length;
  const button = (key, text, number, work, extra = "") => el(
    "button", { type: "button", class: extra, onclick: () => { work(); board.element.focus({ preventScroll: true }); } },
    el("kbd", {}, key), ` ${text} `, number === null ? null : el("b", {}, String(number)));
  actions.replaceChildren(...[
    !left && !shown.back && !shown.next ? null
      : !left ? button("Enter", shown.back ? "Back" : "Next screen", null, confirm, "main")
      : who === null ? null
        : all ? button("Enter", "Confirm", all, confirm, "main") : button("Enter", "Next screen", null, confirm),
    who === null ? null : button("N", "Not this", meant, () => act("reject")),
    button("I", "Ignore", meant, () => act("ignore")),
    button("F", "No face", meant, () => act("no_face")),
    button("/", "Name", meant, () => name(), who === null && left ? "main" : ""),
    left && shown.next && !shown.back ? button("]", "Next screen", null, onward, "end") : null,
  ].filter(Boolean));
}

function showKeys() {
  keys.replaceChildren(
    el("h2", { id: "keys-title" }, "Keys"),
    el("dl", {}, KEYS.flatMap(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)])),
    el("p", { class: "faint" }, "A key acts on a range in hand, else on the ticked faces of a row, else on the face or row at hand; the bar says on how many. No key turns a mixed choice round."),
    el("button", { type: "button", onclick: () => keys.close() }, "Close"));
  keys.showModal();
}

async function see() {
  const cell = shown.board?.cell;
  if (!cell) return;
  if (preview.isShown()) preview.hide();
  else await preview.show(cell.face).catch((error) => { preview.hide(); say(error.message); });
}

function open() {
  const cell = shown.board?.cell;
  if (cell && main.dataset.view !== "picture") goTo("picture", cell.face);
}

function like() {
  const cell = shown.board?.cell;
  if (cell) goTo("like", cell.face);
}

function goTo(view, face) {
  if (preview.isShown()) preview.hide();
  location.hash = views.address(view, String(face.id));
}

let going = false;

const LETTERS = {
  n: () => act("reject"), i: () => act("ignore"), f: () => act("no_face"), y: confirmScreen,
  u: () => undo(shown.board), o: open, l: like, d: () => shown.draw?.(), x: () => shown.board?.tick(true),
  X: () => shown.board?.tick(false), "/": () => name(), ".": again, "?": showKeys,
  "]": onward, "[": () => history.back(), g: () => { going = true; say(`Go to: ${Object.keys(GO).join(" ").toUpperCase()}`); },
};

const MOVES = {
  ArrowLeft: (board, extend) => board.move(board.at - 1, extend),
  ArrowRight: (board, extend) => board.move(board.at + 1, extend),
  ArrowUp: (board, extend) => board.moveLine(false, extend),
  ArrowDown: (board, extend) => board.moveLine(true, extend),
  Home: (board, extend) => board.move(0, extend),
  End: (board, extend) => board.move(board.cells.length - 1, extend),
};

function pressed(event) {
  const { board } = shown;
  if (event.isComposing || event.altKey) return false;
  if (event.ctrlKey || event.metaKey) {
    if (event.key.toLowerCase() !== "z" || event.shiftKey) return false;
    undo(board);
    return true;
  }
  if (keys.open) return false;
  if (going) {
    going = false;
    const view = GO[event.key.toLowerCase()];
    if (view) location.hash = views.address(view);
    return true;
  }
  if (event.key in MOVES && board?.cells.length) {
    MOVES[event.key](board, event.shiftKey);
    if (preview.isShown()) preview.show(board.cell.face);
    return true;
  }
  if (event.key === " " && board?.cells.length) {
    see();
    return true;
  }
  if (event.key === "Escape") return escape();
  if (event.key === "Enter") {
    confirm();
    return true;
  }
  if (/^[1-9]$/.test(event.key)) {
    choose(Number(event.key) - 1);
    return true;
  }
  const work = LETTERS[event.key] ?? LETTERS[event.key.toLowerCase()];
  work?.();
  return Boolean(work);
}

function escape() {
  const { board } = shown;
  if (preview.isShown()) preview.hide();
  else if (board && board.hand().length > 1) board.move(board.at, false);
  else if (shown.back) history.back();
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  const { target } = event;
  // Where a text is typed, letters are letters; a link or a button has its own Enter and Space.
  if (target.matches("input, textarea, select")) return;
  if (target.matches("a, button") && (event.key === "Enter" || event.key === " ")) return;
  if (pressed(event)) event.preventDefault();
});

document.getElementById("undo").addEventListener("click", () => undo(shown.board));
document.getElementById("help").addEventListener("click", showKeys);
window.addEventListener("hashchange", go);
go();
