// The whole picture of a face, with its box.

import { el } from "./dom.js";
import { label } from "./keys.js";
import { crop, get, original } from "./server.js";

const dialog = document.getElementById("preview");

// The face that is wanted; another may be by the time that a picture comes.
let wanted = null;

export const isShown = () => wanted !== null;

export function hide() {
  wanted = null;
  dialog.close();
}

dialog.addEventListener("close", () => { wanted = null; });

// Places a box over a picture that fills its frame; lengths are shares of the picture.
export function frame(picture, face, chosen) {
  const [left, top, right, bottom] = face.box;
  const box = el("span", { class: chosen ? "box chosen" : "box" });
  box.style.left = `${(100 * left) / picture.width}%`;
  box.style.top = `${(100 * top) / picture.height}%`;
  box.style.width = `${(100 * (right - left)) / picture.width}%`;
  box.style.height = `${(100 * (bottom - top)) / picture.height}%`;
  return box;
}

export function canvas(picture, chosen) {
  if (!picture.has_image || !picture.width) {
    const face = el("img", { src: crop(chosen, true), alt: "", class: "lone" });
    return el("div", {}, face, el("p", { class: "faint" }, "The picture itself is not here; this is its face."));
  }
  const image = el("img", { src: original(picture.face), alt: `The picture ${picture.name}` });
  const boxes = picture.faces.map((face) => frame(picture, face, face.id === chosen));
  const shown = el("div", { class: "canvas" }, image, ...boxes);
  shown.style.aspectRatio = `${picture.width} / ${picture.height}`;
  shown.style.setProperty("--ratio", String(picture.width / picture.height));
  return shown;
}

export async function show(face) {
  wanted = face.id;
  const picture = await get(`pictures/${face.id}`);
  if (wanted !== face.id) return;
  const name = face.character ?? "nobody known";
  dialog.replaceChildren(
    el("h2", { id: "preview-title" }, `${name}: ${face.words}`),
    canvas(picture, face.id),
    el("p", { class: "faint" }, `${picture.name}. Space or Esc closes, ${label("open")} opens the picture.`),
    el("button", { type: "button", onclick: hide }, "Close"));
  if (!dialog.open) dialog.showModal();
}
