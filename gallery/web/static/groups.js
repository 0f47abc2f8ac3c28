// Groups of unknown faces put right: joined, and split. Faces stay in their places until the next
// screen; what belongs together is shown by a note under each, and by the heading of a row.

import { noted } from "./board.js";
import { count, say } from "./dom.js";
import { write } from "./server.js";

// What M joins: the groups of a range in hand, else those with ticked faces, else this one and the
// one before it.
export function toJoin(board) {
  const parts = (cells) => [...new Set(cells.map((cell) => cell.part))];
  const hand = parts(board.hand());
  if (hand.length > 1) return hand;
  const ticked = parts(board.open().filter((cell) => cell.ticked));
  if (ticked.length > 1) return ticked;
  const all = parts(board.open());
  const at = all.indexOf(board.cell.part);
  return at > 0 ? all.slice(at - 1, at + 1) : [];
}

// What S splits off: a range in hand, else the ticked faces of the group at hand.
export function toSplit(board) {
  const hand = board.hand();
  return hand.length > 1 ? hand : board.mates().filter((cell) => cell.ticked);
}

export const facesOf = (parts) => parts.reduce((sum, part) => sum + part.total, 0);

export function join(board) {
  const parts = toJoin(board);
  if (parts.length < 2) return say("There is no group before this one to join it to.");
  if (parts.some((part) => part.isAlone)) return say("Faces that are like no other are no group: tick some, and S makes one of them.");
  const joined = { number: parts[0].number, total: facesOf(parts), isAlone: false };
  const cells = board.cells.filter((cell) => parts.includes(cell.part));
  const title = `Joined ${count(parts.length, "group")}: ${count(joined.total, "face")} in one.`;
  return regroup(board, cells, () => joined, "joined", title, "groups/join", (before) => ({
    groups: parts.map((part) => ({
      number: part.number,
      faces: cells.filter((_, place) => before[place] === part).map((cell) => cell.face.id),
    })),
  }), joined);
}

export function split(board) {
  const cells = toSplit(board);
  const [part, other] = new Set(cells.map((cell) => cell.part));
  if (!cells.length) return say("Nothing is ticked: X ticks a face, or take a range in hand.");
  if (other) return say("These are of several groups: split one after the other.");
  if (!part.isAlone && part.total <= cells.length) return say("These are all faces of the group; leave some of them in it.");
  const own = { number: null, total: cells.length, isAlone: false };
  const title = `Split ${count(cells.length, "face")} off into a group of their own.`;
  const faces = cells.map((cell) => cell.face.id);
  return regroup(board, cells, () => own, "split off", title, "groups/split", () => ({
    group: { number: part.number, faces }, faces,
  }), own, part);
}

// Paints at once, writes in order; what fails comes back. `rest` is what faces were taken out of.
function regroup(board, cells, becomes, note, title, what, body, made, rest = null) {
  const before = cells.map((cell) => cell.part);
  const was = cells.map(({ ticked, note: said }) => ({ ticked, note: said }));
  const paint = (forth) => {
    cells.forEach((cell, place) => {
      cell.part = forth ? becomes(cell) : before[place];
      cell.note = forth ? note : was[place].note;
      cell.ticked = forth ? false : was[place].ticked;
    });
    if (rest) rest.total += forth ? -cells.length : cells.length;
    tellTotals(board);
    board.repaint(cells);
  };
  const entry = noted({ board, cells, title, step: null, restore: () => paint(false) });
  paint(true);
  say(title);
  return write(what, () => body(before)).then((answer) => {
    entry.step = answer.step.id;
    made.number = answer.number;
  }, (error) => {
    paint(false);
    cells.forEach((cell) => { cell.trouble = "not saved"; });
    board.repaint(cells);
    say(`Not saved: ${error.message}`);
  });
}

// Says over each row how many faces belong to those in it.
function tellTotals(board) {
  for (const group of board.groups) {
    const parts = [...new Set(board.cells.filter((cell) => cell.group === group).map((cell) => cell.part))];
    const shared = board.cells.some((cell) => cell.group !== group && parts.includes(cell.part));
    const titles = parts.map((part) => (part.isAlone ? "like no other" : count(part.total, "face")));
    if (group.title) group.title.textContent = `${titles.join(" and ")}${shared ? ", joined" : ""}`;
  }
}
