// Searching: who is in a picture that a person brings, and where the same faces were seen.

import { Board } from "./board.js";
import { complaintOf, count, el, say } from "./dom.js";
import { chooser, droppable } from "./files.js";
import { frame } from "./preview.js";
import { bring, crop, get } from "./server.js";
import { address, alternatives, references } from "./views.js";

const MORE = 48;
const FEW = 8;

// The picture that was brought last; it is searched again whenever the view is opened.
let brought = null;

// Faces that are far are shown where few are near.
const isShown = (face, place) => face.near !== "far" || place < FEW;

// Says of each face how near it is to what is searched.
function marked(board) {
  board.element.classList.add("found");
  for (const { element, face } of board.cells) element.dataset.near = face.near;
  return board;
}

const says = (face) => (face.character === null ? "unknown"
  : face.verdict === "sure" ? face.character : `${face.character}?`);

export async function search(_, told) {
  const take = (file) => {
    brought = file;
    say(`Looking at ${file.name} …`);
    told.again();
  };
  const input = chooser(([file]) => take(file));
  const next = () => input.click();
  const place = el("div", { class: brought ? "zone slim" : "zone" },
    el("p", {}, brought ? "Another picture: drop or paste it, or " : "Drop a picture here, or paste one."),
    el("button", { type: "button", class: brought ? "" : "main", onclick: () => input.click() },
      brought ? "choose one" : "Choose a picture"),
    input);
  const content = (...rest) => [pasted(droppable(el("div", { class: "searching" }, ...rest), (transfer) => {
    if (transfer.files.length) take(transfer.files[0]);
  }), take)];
  const heading = el("h1", {}, "Search");
  if (!brought) {
    return { next, content: content(heading,
      el("p", { class: "lead" }, "Who is this, and where was the same face seen?"), place,
      el("p", { class: "faint" }, "The picture is looked at and forgotten: nothing of it is kept.")) };
  }
  const file = brought;
  let found;
  try {
    found = await bring("search", file, { limit: MORE, file: file.name });
  } catch (error) {
    const complaint = el("p", { class: "complaint" }, complaintOf(file.name, error.message));
    if (brought === file) brought = null;
    say("Nothing was searched.");
    return { next, content: content(heading, complaint, place) };
  }
  const bitmap = await createImageBitmap(file).catch(() => null);
  // Another one was brought meanwhile.
  if (brought !== file) return search(_, told);
  const whole = bitmap && picture(bitmap, found);
  const boxes = whole ? [...whole.querySelectorAll(".box")] : [];
  const groups = found.heads.map((head, number) => row(head, number, found, bitmap));
  const board = marked(new Board(groups, {
    ...told, each: true, says,
    moved: (cell) => boxes.forEach((box, number) =>
      box.classList.toggle("chosen", groups[number] === cell.group)),
  }));
  say(found.heads.length ? `${count(found.heads.length, "head")} found.` : "No head is found.");
  const many = found.left_out ? `, ${found.left_out} more are left out` : "";
  return {
    content: content(heading,
      el("p", { class: "lead" }, found.heads.length
        ? `${count(found.heads.length, "head")} in ${file.name}${many}.`
        : `No head is found in ${file.name}.`),
      el("div", { class: "brought" }, whole ?? unseen(found), place),
      found.heads.length ? board.element : null),
    board, next: board.cells.length ? null : next,
  };
}

const unseen = (found) => el("p", { class: "faint" },
  `This browser cannot show the picture, which has ${found.width} x ${found.height} pixels; the gallery has read it.`);

// Listens for pasted pictures as long as an element is shown.
function pasted(element, take) {
  const listen = (event) => {
    if (!element.isConnected) {
      document.removeEventListener("paste", listen);
      return;
    }
    const [file] = event.clipboardData.files;
    if (event.target.matches("input, textarea")) return;
    if (file) take(file);
    else say("No picture is in the clipboard.");
    event.preventDefault();
  };
  document.addEventListener("paste", listen);
  return element;
}

function painted(bitmap, [left, top, right, bottom], width, height, label) {
  const made = el("canvas", { width, height, role: "img", "aria-label": label });
  made.getContext("2d").drawImage(bitmap, left, top, right - left, bottom - top, 0, 0, width, height);
  return made;
}

// The picture as it was brought, with a numbered box for each head.
function picture(bitmap, found) {
  const scale = Math.min(1, 1200 / Math.max(bitmap.width, bitmap.height));
  const whole = [0, 0, bitmap.width, bitmap.height];
  const shown = el("div", { class: "canvas" },
    painted(bitmap, whole, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale), "The picture that was brought"),
    found.heads.map((head, number) => {
      const box = frame(found, head, false);
      box.append(el("span", { class: "number", "aria-hidden": "true" }, String(number + 1)));
      return box;
    }));
  shown.style.aspectRatio = `${found.width} / ${found.height}`;
  return shown;
}

// A head, whom it may show, and the seen faces that are more like it than like the other heads.
function row(head, number, found, bitmap) {
  const title = head.character ?? "Nobody known";
  const others = head.nearest.map((one) => one.name).filter((name) => name !== head.character);
  const [first] = head.nearest;
  // Those that are far are told of nobody known alone.
  const near = head.nearest.filter((one) => one.name !== head.character)
    .filter((one, place) => one.words !== "far" || (head.character === null && place < 3)).slice(0, 5);
  const alike = head.faces.filter((face) => found.heads.every((other) => other === head
    || other.faces.every((one) => one.id !== face.id || one.distance > face.distance
      || (one.distance === face.distance && found.heads.indexOf(other) > number))));
  return {
    label: `Head ${number + 1}: ${title}, ${head.words}`,
    name: head.character,
    faces: alike.filter(isShown),
    alternatives: others,
    before: [el("div", { class: "side" },
      el("div", { class: "beside" },
        bitmap ? painted(bitmap, square(head.box), 150, 150, `Head ${number + 1}`) : null,
        first ? references(first.references.slice(0, 2), first.name) : null),
      el("div", {},
        el("h2", {}, `${number + 1}. ${title}`),
        el("p", { class: "faint" }, decided(head) || head.words),
        el("ol", { class: "nearest" }, near.map((one) => el("li", {},
          el("kbd", {}, String(others.indexOf(one.name) + 1)), ` ${one.name} `, el("span", { class: "faint" }, one.words)))),
        alike.length ? null : el("p", { class: "faint" }, found.heads.length > 1 && head.faces.length
          ? "Seen faces like it stand beside another head." : "No face was seen yet: gallery label FOLDER looks through pictures.")))],
  };
}

const decided = (head) => ({
  confirmed: "confirmed by a person", ignored: "ignored by a person", no_face: "no face, as a person said",
}[head.decided]);

// A square around a box, so that a head is not stretched.
function square([left, top, right, bottom]) {
  const half = Math.max(right - left, bottom - top) / 2;
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  return [x - half, y - half, x + half, y + half];
}

export async function like([face, limit = String(MORE)], told) {
  const found = await get(`faces/${face}/like`, { limit });
  const { character } = found.face;
  const others = found.face.alternatives.filter((one) => one !== character);
  const board = marked(new Board([{
    label: `Like a face of ${character ?? "nobody known"}`, name: character,
    faces: found.faces.filter(isShown), alternatives: others,
  }], { ...told, each: true, says }));
  board.element.classList.add("roomy");
  return {
    content: [
      el("div", { class: "heading" },
        el("img", { src: crop(found.face.id, true), alt: "The face", class: "asked", width: "136", height: "136" }),
        character ? references(found.references, character) : null,
        el("div", {},
          el("h1", {}, character ? `Like this ${character}` : "Like this face"),
          el("p", { class: "faint" }, `${found.face.picture}. Seen faces, nearest first. Esc goes back.`),
          alternatives(others))),
      found.faces.length ? board.element : el("p", {}, "No other face was seen."),
    ],
    board,
    back: true,
    next: found.has_more && found.faces.every(isShown) ? () => address("like", face, String(Math.min(Number(limit) + MORE, 480))) : null,
  };
}
