// Confirmed faces become references: the few that teach most, in one step that can be undone.

import { noted } from "./board.js";
import { count, say } from "./dom.js";
import * as offers from "./offers.js";
import { write } from "./server.js";

const MOST = 4;

// Whose confirmed faces lie on a screen.
export const confirmedOn = (board) => [...new Set(
  board.cells.filter(({ face }) => face.decided === "confirmed").map(({ face }) => face.character))];

// Takes references of the names, or, without one, of all that have confirmed faces.
export async function take(board, names) {
  say("Looking for the confirmed faces that teach most.");
  const answer = await write("references", () => ({ names })).catch((error) => {
    say(`Not done: ${error.message}`);
    return null;
  });
  if (answer === null) return;
  if (answer.step === null) {
    say("No confirmed face teaches more than the references that are there.");
    return;
  }
  const taught = answer.of.filter((one) => one.faces.length);
  const faces = taught.flatMap((one) => one.faces);
  board?.hear(faces);
  const title = `Took ${count(answer.step.faces, "reference")}: ${listed(taught)}.`;
  noted({ board: null, cells: faces.map((face) => ({ face })), title, step: answer.step.id, restore: () => {} });
  taught.forEach((one) => offers.watch(one.name));
  say(`${title} What looks like them is offered when it is answered.`);
}

function listed(taught) {
  const told = taught.slice(0, MOST).map((one) => `${one.faces.length} of ${one.name}`);
  const left = taught.length - told.length;
  return told.join(", ") + (left ? `, and of ${left} more` : "");
}
