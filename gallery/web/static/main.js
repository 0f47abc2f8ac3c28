// The page: which view is shown, what keys do, and the bar of actions.

import { audit } from "./audit.js";
import { isOpen, undo } from "./board.js";
import { count, el, say } from "./dom.js";
import { characters } from "./enroll.js";
import { episode } from "./episode.js";
import * as groups from "./groups.js";
import * as keys from "./keys.js";
import * as naming from "./naming.js";
import * as offers from "./offers.js";
import { pairs } from "./pairs.js";
import * as preview from "./preview.js";
import * as searching from "./search.js";
import { write } from "./server.js";
import * as teach from "./teach.js";
import * as touch from "./touch.js";
import * as plain from "./views.js";

const views = { ...plain, ...searching, characters, pairs, episode, audit };
const VIEWS = ["today", "sure", "doubtful", "near", "clusters", "pairs", "episode", "search", "characters", "audit", "history"];
const GO = {
  t: "today", s: "sure", d: "doubtful", r: "near", c: "clusters", p: "pairs", e: "episode", f: "search", n: "characters",
  a: "audit", h: "history",
};
const main = document.getElementById("main");
const actions = document.getElementById("actions");

let shown = {};
let route = "";

async function go() {
  const [, view = "today", ...parts] = (location.hash || "#/today").split("/");
  const asked = location.hash;
  route = asked;
  const build = VIEWS.includes(view) || ["picture", "like"].includes(view) ? views[view] : views.today;
  let made;
  try {
    made = await build(parts.map(decodeURIComponent), { changed: bar, undoStep, onward, again: go, references });
  } catch (error) {
    made = { content: [el("h1", {}, "This cannot be shown"), el("p", {}, error.message)], next: () => "#/today" };
  }
  // Another view was asked for meanwhile.
  if (route !== asked) return;
  shown = made;
  main.replaceChildren(...made.content.filter((one) => one !== null));
  main.dataset.view = view;
  made.shown?.();
  if (view === "sure") made.board?.groups.forEach((group) => offers.seen(group.name));
  arrange();
  mark(view);
  if (made.board?.cells.length) {
    made.board.move(made.at > 0 ? made.at : 0, false);
    (made.element ?? made.board.element).focus({ preventScroll: true });
    // Where there is no room for it in the bar.
    if (!made.back) main.append(el("button", { type: "button", class: "onward", onclick: onward }, "Next screen"));
  } else (made.element ?? main).focus({ preventScroll: true });
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
  nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
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

// What a list of steps shows is another one then.
async function undone() {
  await undo(shown.board ?? shown.list);
  await shown.undone?.();
}

// Who the faces of a row are said to be.
const nameOf = (board) => board.cell.group.name;

const choices = (board) => (board.preset || board.each
  ? board.cell.face.alternatives.filter((one) => one !== nameOf(board)) : board.cell.group.alternatives);

async function confirm() {
  const { board } = shown;
  if (!board?.cells.length) return onward();
  if (!board.open().length) return shown.back ? history.back() : onward();
  const name = nameOf(board);
  const meant = board.toConfirm();
  if (!meant.length) {
    if (board.each) return step(board);
    if (!board.moveOn()) return onward();
    return undefined;
  }
  if (name === null) return say("These have no name yet: / names them.");
  board.decide("confirm", name, meant);
  offers.watch(name);
  if (board.each) step(board);
  else board.moveOn();
  return undefined;
}

function confirmScreen(meant = null) {
  const { board } = shown;
  if (board?.each && !meant) return say("Here Enter confirms the ticked faces, else the one at hand.");
  if (board?.picked && !meant) return say("Here the ticked faces alone are confirmed: Shift+Enter does it.");
  for (const group of board?.groups ?? []) {
    const own = board.open().filter((cell) => cell.group === group && (!meant || meant(cell)));
    if (group.name === null) continue;
    board.decide("confirm", group.name, own);
    offers.watch(group.name);
  }
  return undefined;
}

// Confirms what is left, or what is ticked, and goes on.
function confirmAndGo(meant = null) {
  confirmScreen(meant);
  if (meant || !(shown.board?.each || shown.board?.picked)) onward();
}

// Decides of the whole screen what its ticks say, and goes on.
function decideAsTicked() {
  const { board } = shown;
  if (!board?.preset || board.picked) {
    say("In Sure alone do ticks tell right faces from wrong ones.");
    return;
  }
  for (const group of board.groups) {
    const own = board.open().filter((cell) => cell.group === group);
    const [right, wrong] = [true, false].map((is) => own.filter((cell) => cell.ticked === is));
    board.decide("confirm", group.name, right);
    board.decide("reject", group.name, wrong.filter((cell) => !cell.face.not_these.includes(group.name)));
    offers.watch(group.name);
  }
  onward();
}

// Of the names whose confirmed faces are seen; of all where no faces are.
function references() {
  const { board } = shown;
  const names = board?.cells.length ? teach.confirmedOn(board) : [];
  if (board?.cells.length && !names.length) {
    say(`Nothing on this screen is confirmed yet. ${keys.label("references_all")} takes references of all names.`);
    return;
  }
  teach.take(board, names);
}

function act(action) {
  const { board } = shown;
  if (!board?.cells.length) return;
  const name = action === "reject" ? nameOf(board) : null;
  if (action === "reject" && name === null) {
    say("These have no name that could be wrong.");
    return;
  }
  const meant = action === "reject" ? board.toReject() : board.meant();
  board.decide(action, name, meant);
  offers.watch(name);
  step(board);
}

// One face at a time, or all of them.
function single() {
  touch.toggle();
  arrange();
  bar();
  (shown.element ?? shown.board?.element)?.focus({ preventScroll: true });
}

function arrange() {
  if (!shown.board) return;
  shown.element = touch.arrange(main.dataset.view, shown.board, main, {
    confirm, reject: () => act("reject"), toggle: single,
  }) ?? undefined;
}

function regroup(how) {
  const { board } = shown;
  if (board?.whole && board.cells.length) how(board);
  else say("Only unknown faces are in groups: G, then C goes to them.");
}

// Goes on to the next face that is open, where one alone was at hand.
function step(board) {
  if (board.hand().length !== 1) return;
  const next = (from) => board.cells.findIndex((cell, place) => place > from && isOpen(cell.face));
  const later = board.each && next(board.at) < 0 ? next(-1) : next(board.at);
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
  offers.watch(given.name);
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
  touch.follow();
  const isActing = Boolean(shown.bar || board?.cells.length);
  document.body.classList.toggle("acting", isActing);
  actions.hidden = !isActing;
  const button = (key, text, number, work, extra = "") => el(
    "button", { type: "button", class: extra, onclick: () => { work(); (shown.element ?? board?.element)?.focus({ preventScroll: true }); } },
    el("kbd", {}, key), ` ${text} `, number === null ? null : el("b", {}, String(number)));
  if (shown.bar) actions.replaceChildren(...shown.bar(button));
  if (shown.bar || !isActing) return;
  const who = nameOf(board);
  const all = board.toConfirm().length;
  const meant = board.meant().length;
  const left = board.open().length;
  actions.replaceChildren(...[
    !left && !shown.back && !shown.next ? null
      : !left ? button("Enter", shown.back ? "Back" : "Next screen", null, confirm, "main")
      : who === null ? null
        : all ? button("Enter", "Confirm", all, confirm, "main") : button("Enter", "Next screen", null, confirm),
    who === null ? null : button(keys.label("reject"), "Not this", board.toReject().length, () => act("reject")),
    button(keys.label("ignore"), "Ignore", meant, () => act("ignore")),
    button(keys.label("no_face"), "No face", meant, () => act("no_face")),
    button(keys.label("name"), "Name", meant, () => name(), who === null && left ? "main" : ""),
    board.whole && groups.toJoin(board).length > 1 ? button(keys.label("join"), "Join", groups.facesOf(groups.toJoin(board)), () => regroup(groups.join)) : null,
    board.whole && groups.toSplit(board).length ? button(keys.label("split"), "Split off", groups.toSplit(board).length, () => regroup(groups.split)) : null,
    teach.confirmedOn(board).length ? button(keys.label("references"), "References", null, references, "wide") : null,
    left && shown.next && !shown.back ? button(keys.label("next"), "Next screen", null, onward, "end") : null,
  ].filter(Boolean));
}

async function see() {
  const cell = (shown.board ?? shown.list)?.cell;
  if (!cell) return;
  if (preview.isShown()) preview.hide();
  else await preview.show(cell.face).catch((error) => { preview.hide(); say(error.message); });
}

function open() {
  const cell = (shown.board ?? shown.list)?.cell;
  if (cell && main.dataset.view !== "picture") goTo("picture", cell.face);
}

function like() {
  const cell = (shown.board ?? shown.list)?.cell;
  if (cell) goTo("like", cell.face);
}

function goTo(view, face) {
  if (preview.isShown()) preview.hide();
  location.hash = views.address(view, String(face.id));
}

let going = false;

// By the names that keys.js gives them.
const WORK = {
  screen: () => confirmScreen(),
  screen_on: () => confirmAndGo(),
  references,
  references_all: () => teach.take(shown.board, []),
  reject: () => act("reject"),
  told: decideAsTicked,
  ignore: () => act("ignore"),
  no_face: () => act("no_face"),
  name: () => name(),
  again,
  join: () => regroup(groups.join),
  split: () => regroup(groups.split),
  tick: () => shown.board?.tick(true),
  untick: () => shown.board?.tick(false),
  row: () => shown.board?.takeRow(),
  single,
  open,
  like,
  draw: () => shown.draw?.(),
  undo: undone,
  next: onward,
  back: () => history.back(),
  nearer: () => shown.zoom?.(1),
  farther: () => shown.zoom?.(-1),
  go: () => { going = true; say(`Go to: ${Object.keys(GO).join(" ").toUpperCase()}`); },
  help: () => keys.show(bar),
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
    undone();
    return true;
  }
  if (keys.isOpen()) return false;
  if (going) {
    going = false;
    const view = GO[event.key.toLowerCase()];
    if (view) location.hash = views.address(view);
    return true;
  }
  const action = keys.actionOf(event.key);
  if (shown.press?.(event, action)) {
    if (preview.isShown() && shown.list) preview.show(shown.list.cell.face);
    return true;
  }
  if (event.key in MOVES && board?.cells.length) {
    MOVES[event.key](board, event.shiftKey);
    if (preview.isShown()) preview.show(board.cell.face);
    return true;
  }
  if (event.key === " " && (shown.list ?? board?.cells.length)) {
    see();
    return true;
  }
  if (event.key === "Escape") return escape();
  if (event.key === "Enter") {
    if (event.shiftKey && board?.cells.length) confirmAndGo((cell) => cell.ticked);
    else confirm();
    return true;
  }
  if (/^[1-9]$/.test(event.key)) {
    choose(Number(event.key) - 1);
    return true;
  }
  if (action) WORK[action]();
  return Boolean(action);
}

function escape() {
  const { board } = shown;
  if (preview.isShown()) preview.hide();
  else if (board && board.hand().length > 1) board.move(board.at, false);
  else if (shown.back) history.back();
  else return false;
  return true;
}

touch.listen(main, (element) => shown.board?.cells.find((cell) => cell.element === element));

document.addEventListener("keydown", (event) => {
  const { target } = event;
  // Where a text is typed, letters are letters; a link or a button has its own Enter and Space.
  if (target.matches("input, textarea, select")) return;
  if (target.matches("a, button") && (event.key === "Enter" || event.key === " ")) return;
  if (pressed(event)) event.preventDefault();
});

document.getElementById("undo").addEventListener("click", undone);
document.getElementById("help").addEventListener("click", () => keys.show(bar));
window.addEventListener("hashchange", go);
go();
