// Enrolling: pictures that are dropped onto a name become its references, one after another.

import { complaintOf, count, el, say } from "./dom.js";
import { chooser, droppable, picturesIn, picturesOf } from "./files.js";
import { bring, get, reference } from "./server.js";

const SHOWN = 40;
const panel = document.getElementById("enrolling");
const stop = el("button", { type: "button", class: "quiet", onclick: close });
const list = el("div", {});
panel.append(el("div", { class: "titled" }, el("h2", {}, "Enrolling"), stop), list);

// What is brought, by name; pictures wait in one queue, whatever their names.
const batches = new Map();
const queue = [];
let running = false;
let largest = false;

// Takes pictures for a name, new or not. `told` hears of each that was added.
export function enroll({ found, others }, name, { fresh = false } = {}) {
  if (!found.length) {
    say(others ? `${count(others, "file")}, and none is a picture.` : "Nothing was dropped.");
    return;
  }
  const batch = batches.get(name) ?? { name, total: 0, added: 0, poor: 0, known: 0, refused: [], others: 0 };
  batches.set(name, batch);
  batch.total += found.length;
  batch.others += others;
  queue.push(...found.map(({ file }) => ({ file, batch, fresh })));
  show();
  run();
}

const doneOf = (batch) => batch.added + batch.known + batch.refused.length;

async function run() {
  if (running) return;
  running = true;
  while (queue.length) {
    const { file, batch, fresh } = queue.shift();
    try {
      const one = await bring("samples", file, { name: batch.name, file: file.name, new: fresh, largest });
      if (one.is_new) batch.added += 1;
      else batch.known += 1;
      if (one.is_poor) batch.poor += 1;
      if (one.is_new) window.dispatchEvent(new CustomEvent("enrolled", { detail: one }));
    } catch (error) {
      batch.refused.push({ file: file.name, why: error.message });
    }
    show();
  }
  running = false;
  show();
  const [all, refused] = [...batches.values()].reduce(
    ([sum, no], one) => [sum + one.added, no + one.refused.length], [0, 0]);
  say(`${count(all, "reference")} added${refused ? `, ${count(refused, "picture")} refused` : ""}.`);
}

window.addEventListener("beforeunload", (event) => {
  if (queue.length || running) event.preventDefault();
});

function show() {
  panel.hidden = !batches.size;
  stop.textContent = running ? "Stop" : "Close";
  list.replaceChildren(
    ...[...batches.values()].map((batch) => {
      const done = doneOf(batch);
      const parts = [
        `${batch.added.toLocaleString("en")} added`,
        batch.poor ? `${batch.poor} of them hard to see` : null,
        batch.known ? `${batch.known} there already` : null,
        batch.refused.length ? `${batch.refused.length} refused` : null,
        batch.others ? `${count(batch.others, "other file")} passed over` : null,
      ].filter(Boolean);
      return el("div", { class: "batch" },
        el("p", {}, el("b", {}, batch.name), ` ${done} of ${count(batch.total, "picture")}: ${parts.join(", ")}.`),
        el("progress", { value: String(done), max: String(batch.total), "aria-label": `Pictures of ${batch.name}` }),
        batch.refused.length ? el("ul", { class: "refused" },
          batch.refused.slice(0, SHOWN).map((one) => el("li", {}, complaintOf(one.file, one.why))),
          batch.refused.length > SHOWN ? el("li", {}, `and ${batch.refused.length - SHOWN} more`) : null) : null);
    }));
}

// What is not brought yet stays out; what was added stays.
function close() {
  if (running && queue.length) {
    for (const { batch } of queue.splice(0)) batch.total -= 1;
    show();
    return;
  }
  batches.clear();
  show();
}

// Pictures in folders of folders, by the character that each folder stands for: the one below the
// folder that was dropped, or that folder where it holds the pictures itself.
function byFolder({ found, others }) {
  const names = new Map();
  for (const one of found) {
    const name = one.folders[1] ?? one.folders[0];
    if (name === undefined) return null;
    names.set(name, [...(names.get(name) ?? []), one]);
  }
  return { names, others };
}

function enrollFolders(pictures) {
  const sorted = byFolder(pictures);
  if (!sorted) {
    say("Whom do these pictures show? Type a name first, or drop them onto one.");
    return;
  }
  let { others } = sorted;
  for (const [name, found] of sorted.names) {
    enroll({ found, others }, name, { fresh: true });
    others = 0;
  }
}

// Lets pictures be dropped onto an element that stands for a character.
export const takesPictures = (element, name, options) => droppable(element, async (transfer) => {
  enroll(await picturesIn(transfer), name, options);
});

const buttons = (name, fresh) => {
  const take = (files) => enroll(picturesOf(files), name, { fresh });
  const files = chooser(take, { multiple: true });
  const folder = chooser(take, { webkitdirectory: true, accept: null });
  return el("span", { class: "adding" },
    el("button", { type: "button", "aria-label": `Add pictures to ${name}`, onclick: () => files.click() }, "Add pictures"),
    el("button", { type: "button", class: "quiet", "aria-label": `Add a folder of pictures to ${name}`, onclick: () => folder.click() }, "folder"),
    files, folder);
};

function person({ name, samples, reference: best }) {
  const shown = el("p", { class: "faint" }, count(samples, "reference"));
  const image = (sample) => (sample === null ? el("span", { class: "nobody", "aria-hidden": "true" }, "?")
    : el("img", { src: reference(sample), alt: "", width: "72", height: "72", loading: "lazy", decoding: "async" }));
  const picture = el("span", { class: "portrait" }, image(best));
  const row = takesPictures(el("li", { "data-name": name }, picture,
    el("div", {}, el("h2", {}, name), shown, buttons(name, false))), name);
  const add = (sample) => {
    samples += 1;
    shown.textContent = count(samples, "reference");
    if (samples === 1) picture.replaceChildren(image(sample));
  };
  return { name, row, add };
}

// A list of characters that pictures are dropped onto, and a box that finds one or makes a new one.
export function enrolling(characters) {
  const people = characters.map(person);
  const rows = el("ul", { class: "people", "aria-label": "Characters" }, people.map((one) => one.row));
  const fresh = el("div", { class: "fresh" });
  const box = el("input", {
    type: "text", id: "who", autocomplete: "off", spellcheck: "false", maxlength: "200",
  });
  const folded = (text) => text.trim().normalize("NFKC").toLocaleLowerCase();
  const find = () => {
    const wanted = folded(box.value);
    for (const one of people) one.row.hidden = !folded(one.name).includes(wanted);
    const isKnown = people.some((one) => folded(one.name) === wanted);
    fresh.replaceChildren(...(wanted && !isKnown ? [
      el("h2", {}, `Somebody new: ${box.value.trim()}`), buttons(box.value.trim(), true)] : []));
  };
  box.addEventListener("input", find);
  const zone = droppable(el("div", { class: "zone people-zone" },
    el("p", {}, el("label", { for: "who" }, people.length ? "Find a name, or type a new one" : "A name"), box), fresh,
    el("p", { class: "faint" }, people.length
      ? "Drop pictures onto a name below; or type a new one, and drop them here. Folders that are named like characters can be dropped without a name."
      : "Type a name, and drop pictures of this character here. Folders that are named like characters can be dropped without a name."),
    el("label", { class: "choice" },
      el("input", { type: "checkbox", checked: largest, onchange: (event) => { largest = event.target.checked; } }),
      " Of several faces in a picture, take the largest")),
  async (transfer) => {
    const pictures = await picturesIn(transfer);
    const name = box.value.trim();
    if (name) enroll(pictures, name, { fresh: true });
    else enrollFolders(pictures);
  });
  const hear = ({ detail }) => {
    if (!rows.isConnected) {
      window.removeEventListener("enrolled", hear);
      return;
    }
    let one = people.find((other) => other.name === detail.name);
    if (!one) {
      one = person({ name: detail.name, samples: 0, reference: null });
      people.push(one);
      rows.prepend(one.row);
    }
    one.add(detail.sample);
  };
  window.addEventListener("enrolled", hear);
  return [zone, rows];
}

export async function characters() {
  const { characters: known } = await get("characters");
  const references = known.reduce((sum, one) => sum + one.samples, 0);
  return {
    content: [
      el("h1", {}, "Characters"),
      el("p", { class: "lead" }, known.length
        ? `${count(known.length, "character")} with ${count(references, "reference")}.` : "Nobody is in this gallery yet."),
      ...enrolling(known),
    ],
  };
}

// What an empty gallery begins with.
export async function firstUse() {
  return [
    el("h1", {}, "Nobody is in this gallery yet"),
    el("p", { class: "lead" }, "Begin with a few pictures of each character: ten that differ are a good start."),
    ...enrolling([]),
    el("p", {}, "Are there pictures or videos, and no names? ", el("code", {}, "gallery harvest FOLDER NEW"),
      " gathers their faces in a folder for each likely character. Give these folders names, and drop them here."),
    el("p", {}, "Folders on this machine are faster by the command ", el("code", {}, "gallery enroll FOLDER"),
      ". Then ", el("code", {}, "gallery label FOLDER"), " looks through pictures, and what it sees is decided here."),
  ];
}
