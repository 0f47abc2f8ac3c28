// A screen of faces: which one is at hand, which are ticked, and what was decided of each.
// Nothing that is decided leaves its place; the next screen is without it.

import { count, el, say } from "./dom.js";
import { crop, write } from "./server.js";

const ROOMY = 30;

const STAMPS = { confirmed: "", not_this: "not ", ignored: "ignored", no_face: "no face" };

export const isOpen = (face) => face.decided === "undecided" || face.decided === "not_this";

// What was done on this page and can be undone, newest last. What is no decision of a board has
// a way `back` of its own, or one to `restore` what is painted before its step is undone.
const done = [];

export class Board {
  // groups: [{ label, name, faces, alternatives, before: [elements], part }]; a face stands in one.
  // What belongs together has one part; it is the group unless groups were joined or split since.
  // ticked: whether faces that are not odd are ticked at first. picked: none is, and ticked ones alone
  // are confirmed. whole: whether a key without
  // ticks means the whole group. each: Enter confirms the faces at hand alone. clicked: what
  // a click does otherwise than tick. says: what stands below a face that nobody decided of.
  constructor(groups, {
    ticked = false, picked = false, whole = false, each = false, clicked = null, says = null, changed = () => {},
    moved = () => {},
  } = {}) {
    this.groups = groups;
    this.whole = whole;
    this.each = each;
    this.eachAtFirst = each;
    this.clicked = clicked;
    this.says = says;
    this.changed = changed;
    this.moved = moved;
    this.picked = picked;
    // Whether ticks tell right from wrong.
    this.preset = ticked || picked;
    this.cells = groups.flatMap((group) => group.faces.map((face) => ({
      face, group, part: group.part ?? group, ticked: ticked && !face.odd && isOpen(face),
      mark: "", trouble: "", note: "",
    })));
    this.at = 0;
    this.anchor = 0;
    // Few faces are shown as large as they are stored.
    this.roomy = ticked && this.cells.length <= ROOMY;
    this.element = this.#built();
    this.element.classList.toggle("roomy", this.roomy);
    this.cells.forEach((cell) => this.#paint(cell));
    this.#showHand();
  }

  #built() {
    const list = el("div", {
      class: "board", role: "listbox", tabindex: "0", "aria-multiselectable": "true",
      "aria-label": "Faces",
    });
    for (const group of this.groups) {
      const own = this.cells.filter((cell) => cell.group === group);
      // A list holds options alone: what stands beside a row is told by the row's own label.
      for (const one of group.before ?? []) one.setAttribute("aria-hidden", "true");
      const names = group.alternatives.map((name, place) => `${place + 1} ${name}`).join(", ");
      const label = names ? `${group.label}; ${names}` : group.label;
      const faces = el("div", { class: "faces", role: "group", "aria-label": label });
      for (const cell of own) {
        cell.image = el("img", {
          src: crop(cell.face.id, this.roomy), alt: "", width: "96", height: "96", decoding: "async",
          draggable: "false",
        });
        cell.caption = el("span", { class: "caption" });
        cell.element = el(
          "div", { class: "face", role: "option", id: `face-${cell.face.id}` },
          cell.image, el("span", { class: "tick", "aria-hidden": "true" }, "✓"), cell.caption);
        cell.element.addEventListener("click", (event) => this.#click(cell, event));
        cell.element.addEventListener("pointerdown", (event) => this.#press(cell, event));
        cell.element.addEventListener("pointerenter", (event) => this.#drag(cell, event));
        faces.append(cell.element);
      }
      group.element = el("div", { class: "row", role: "presentation" }, ...(group.before ?? []), faces);
      list.append(group.element);
    }
    return list;
  }

  // The mouse may be drawn over faces: they are taken in hand, and have the tick that the first
  // one gets.
  #press(cell, event) {
    this.drawn = null;
    const begins = event.pointerType === "mouse" && event.button === 0 && !event.shiftKey;
    if (begins && !this.clicked) this.drawn = { from: cell, wanted: !cell.ticked, over: false };
  }

  #drag(cell, event) {
    if (!this.drawn || !(event.buttons & 1)) return;
    if (!this.drawn.over) {
      if (cell === this.drawn.from) return;
      this.drawn.over = true;
      this.element.focus({ preventScroll: true });
      this.move(this.cells.indexOf(this.drawn.from), false);
      document.addEventListener("pointerup", () => this.tick(this.drawn.wanted), { once: true });
    }
    this.move(this.cells.indexOf(cell), true);
  }

  #click(cell, event) {
    // It was drawn over others and back to where it began.
    if (this.drawn?.over) return;
    const to = this.cells.indexOf(cell);
    this.element.focus({ preventScroll: true });
    if (event.shiftKey) {
      this.move(to, true);
      if (!this.clicked) this.tick(true);
      return;
    }
    this.move(to, false);
    if (this.clicked) {
      this.clicked(cell);
      return;
    }
    if (isOpen(cell.face)) cell.ticked = !cell.ticked;
    this.#paint(cell);
    this.changed();
  }

  get cell() { return this.cells[this.at]; }

  // The faces at hand: one, or a range.
  hand() {
    const [from, to] = [Math.min(this.at, this.anchor), Math.max(this.at, this.anchor)];
    return this.cells.slice(from, to + 1);
  }

  // The open faces that belong to the one at hand.
  mates() { return this.open().filter((cell) => cell.part === this.cell?.part); }

  // What a key acts on: a range; else in rows the ticked ones; else the row or the face.
  meant() {
    const hand = this.hand();
    if (hand.length !== 1 || this.preset) return hand;
    const own = this.mates();
    const ticked = own.filter((cell) => cell.ticked);
    if (ticked.length) return ticked;
    return this.whole && own.length ? own : hand;
  }

  // What is said not to be the name: as above, but where ticks tell right from wrong, an unticked
  // face stands for all unticked ones of its name.
  toReject() {
    const [first, more] = this.hand();
    if (!this.preset || more || !first || first.ticked || !isOpen(first.face)) return this.meant();
    return this.mates().filter((cell) => !cell.ticked);
  }

  // What Enter confirms: the ticked ones, else the row, or what is at hand.
  toConfirm() {
    if (this.each) return this.meant().filter((cell) => isOpen(cell.face));
    const own = this.mates();
    const ticked = own.filter((cell) => cell.ticked);
    return ticked.length || this.preset ? ticked : own;
  }

  open() { return this.cells.filter((cell) => isOpen(cell.face)); }

  move(to, extend) {
    if (!this.cells.length) return;
    this.at = Math.max(0, Math.min(this.cells.length - 1, to));
    if (!extend) this.anchor = this.at;
    this.#showHand();
    this.cell.element.scrollIntoView({ block: "nearest" });
    this.moved(this.cell);
    this.changed();
  }

  // Goes up or down by what is seen: to the nearest face of the next line.
  moveLine(down, extend) {
    const here = this.cell.element.getBoundingClientRect();
    let best = -1;
    let least = Infinity;
    this.cells.forEach((cell, place) => {
      const there = cell.element.getBoundingClientRect();
      const lines = down ? there.top - here.top : here.top - there.top;
      if (lines < here.height / 2) return;
      const far = lines * 1000 + Math.abs(there.left - here.left);
      if (far < least) [best, least] = [place, far];
    });
    if (best >= 0) this.move(best, extend);
  }

  // Goes to the first face of the next row that Enter confirms; false where there is none.
  moveOn() {
    const isNext = (cell) => isOpen(cell.face) && (cell.ticked || !this.preset);
    const groups = this.groups;
    const from = groups.indexOf(this.cell.group);
    for (let step = 1; step <= groups.length; step += 1) {
      const group = groups[(from + step) % groups.length];
      const to = this.cells.findIndex((cell) => cell.group === group && isNext(cell));
      if (to >= 0) {
        this.move(to, false);
        return true;
      }
    }
    return false;
  }

  tick(wanted) {
    for (const cell of this.hand()) {
      cell.ticked = wanted && isOpen(cell.face);
      this.#paint(cell);
    }
    this.changed();
  }

  // Takes the whole row in hand.
  takeRow() {
    const own = this.cells.filter((cell) => cell.group === this.cell?.group);
    if (!own.length) return;
    this.move(this.cells.indexOf(own[0]), false);
    this.move(this.cells.indexOf(own.at(-1)), true);
  }

  #showHand() {
    const hand = new Set(this.hand());
    this.cells.forEach((cell, place) => {
      cell.element.classList.toggle("at-hand", hand.has(cell));
      cell.element.classList.toggle("active", place === this.at);
    });
    const current = new Set(this.cells.filter((cell) => cell.part === this.cell?.part).map((cell) => cell.group));
    this.groups.forEach((group) => group.element.classList.toggle("current", current.has(group)));
    if (this.cell) this.element.setAttribute("aria-activedescendant", this.cell.element.id);
  }

  #paint(cell) {
    const { face, element } = cell;
    const stamp = face.decided === "confirmed" ? face.character
      : face.decided === "not_this" ? `not ${face.not_these.join(", ")}` : STAMPS[face.decided];
    const words = cell.group.name && (face.odd || !this.preset) ? face.words : "";
    cell.caption.textContent = cell.trouble || stamp || cell.note || (this.says ? this.says(face) : words);
    element.dataset.state = cell.trouble ? "trouble" : face.decided;
    element.classList.toggle("saving", cell.mark === "saving");
    element.classList.toggle("ticked", cell.ticked);
    element.setAttribute("aria-selected", String(cell.ticked));
    const name = this.says ? this.says(face) : cell.group.name ?? "unknown";
    element.setAttribute(
      "aria-label", `${cell.trouble || stamp || `${name}, ${face.words}`}, ${face.picture}`);
    element.title = `${face.picture}: ${face.words}`;
  }

  // Takes what the gallery says of faces by now.
  hear(faces, trouble = "") {
    const known = new Map(faces.map((face) => [face.id, face]));
    for (const cell of this.cells) {
      const face = known.get(cell.face.id);
      if (!face) continue;
      Object.assign(cell.face, face);
      cell.trouble = trouble;
      cell.ticked = cell.ticked && isOpen(cell.face);
      this.#paint(cell);
    }
    this.changed();
  }

  // Decides of faces: painted at once, written in order; what fails comes back and is marked.
  decide(action, name, cells, { fresh = false } = {}) {
    if (!cells.length) return;
    const before = cells.map((cell) => ({ ...cell.face, ticked: cell.ticked }));
    for (const cell of cells) {
      Object.assign(cell.face, becoming(cell.face, action, name));
      cell.mark = "saving";
      cell.trouble = "";
      cell.ticked = false;
      this.#paint(cell);
    }
    const title = titleOf(action, name, cells.length);
    say(title);
    const entry = { board: this, cells, title, step: null, restore: () => this.#restore(cells, before) };
    done.push(entry);
    this.changed();
    const body = () => ({
      action, ...(name === null ? {} : { name }), ...(fresh ? { new: true } : {}),
      faces: cells.map(({ face }) => ({ id: face.id, version: face.version })),
    });
    return write("decisions", body).then((answer) => {
      entry.step = answer.step?.id ?? null;
      this.hear(answer.faces);
      this.#hearStale(answer.stale);
    }, (error) => {
      entry.step = null;
      this.#restore(cells, before, "not saved");
      say(`Not saved: ${error.message}`);
    }).finally(() => this.#settle(cells));
  }

  #hearStale(stale) {
    if (!stale.length) return;
    this.hear(stale);
    const told = new Set(stale.map((face) => face.id));
    for (const cell of this.cells) {
      if (!told.has(cell.face.id)) continue;
      cell.trouble = `meanwhile: ${cell.caption.textContent || "undecided"}`;
      this.#paint(cell);
    }
    say(`${count(stale.length, "face")} left alone: somebody decided meanwhile.`);
  }

  #restore(cells, before, trouble = "") {
    cells.forEach((cell, place) => {
      const { ticked, version, ...face } = before[place];
      Object.assign(cell.face, face);
      cell.ticked = ticked;
      cell.trouble = trouble;
      this.#paint(cell);
    });
    this.changed();
  }

  #settle(cells) {
    for (const cell of cells) {
      cell.mark = "";
      this.#paint(cell);
    }
  }

  // Paints faces of which something else than a decision changed.
  repaint(cells) {
    cells.forEach((cell) => this.#paint(cell));
    this.#showHand();
    this.changed();
  }
}

// Notes what was done otherwise than by `decide`: { back }, or { board, cells, title, step, restore }.
export function noted(entry) {
  done.push(entry);
  return entry;
}

// Takes back a note of what was undone in another way.
export function forgotten(entry) {
  const at = done.indexOf(entry);
  if (at >= 0) done.splice(at, 1);
}

function becoming(face, action, name) {
  if (action === "confirm") return { decided: "confirmed", character: name };
  if (action === "ignore") return { decided: "ignored" };
  if (action === "no_face") return { decided: "no_face" };
  return { decided: "not_this", not_these: [...new Set([...face.not_these, name])].sort() };
}

export function titleOf(action, name, faces) {
  const many = count(faces, "face");
  if (action === "confirm") return `Confirmed ${many} as ${name}.`;
  if (action === "reject") return `${many} ${faces === 1 ? "is" : "are"} not ${name}.`;
  if (action === "ignore") return `Ignored ${many}.`;
  return `${many} marked as no face.`;
}

// Undoes what was decided last on this page; after a reload, the newest step of the gallery.
export function undo(board) {
  const entry = done.pop();
  if (entry?.back) return entry.back();
  entry?.restore();
  const told = () => (entry?.cells ?? board?.cells ?? []).map((cell) => cell.face.id);
  const body = () => (entry ? (entry.step === null ? null : { step: entry.step, faces: told() }) : { faces: told() });
  return write("undo", body).then((answer) => {
    if (answer === null) return say("Nothing of it was saved, and nothing is to be undone.");
    (entry?.board ?? board)?.hear(answer.faces);
    const left = answer.left ? ` ${count(answer.left, "face")} left alone.` : "";
    say(entry ? `Undone: ${entry.title}${left}` : `Undone for ${count(answer.step?.faces ?? 0, "face")}.${left}`);
  }, (error) => say(error.message));
}
