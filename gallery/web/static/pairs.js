// Pairs: "the same?" Two groups of unknown faces, or a group and a character, likeliest first.
// Answered pairs stay in their places until the list is asked for again.

import { isOpen, noted } from "./board.js";
import { count, el, say } from "./dom.js";
import { label } from "./keys.js";
import { crop, get, reference, settled, write } from "./server.js";

const SHOWN = 8;

const images = (side) => (side.name === null
  ? side.faces.slice(0, SHOWN).map((face) => el("img", { src: crop(face.id), alt: "", width: "96", height: "96", decoding: "async", draggable: "false" }))
  : side.references.map((sample) => el("img", { src: reference(sample), alt: "", width: "96", height: "96", decoding: "async", draggable: "false" })));

const titleOf = (side) => side.name ?? count(side.total, "unknown face");

const noteOf = (side) => (side.name === null
  ? (side.total > SHOWN ? `${SHOWN} are shown` : "") : count(side.total, "reference"));

const sideOf = (side) => el("div", { class: "pair-side" },
  el("div", { class: "pair-title" }, el("b", {}, titleOf(side)), el("span", { class: "faint" }, ` ${noteOf(side)}`)),
  el("div", { class: "pair-faces" }, images(side)));

class PairList {
  constructor(found, changed) {
    this.changed = changed;
    this.groups = new Map();
    this.at = 0;
    this.rows = found.map(({ one, other, words, is_likely: isLikely }, place) => {
      const row = {
        one: this.#group(one), other: other.name === null ? this.#group(other) : null,
        name: other.name, words, isLikely, answer: null, trouble: "",
        label: `${titleOf(one)} and ${titleOf(other)}`,
      };
      row.said = el("p", { class: "pair-said" });
      row.element = el("div", { class: "pair", role: "option", id: `pair-${place}` },
        sideOf(one), el("div", { class: "pair-middle" }, row.said, el("p", { class: "faint" }, words)), sideOf(other));
      row.element.addEventListener("click", () => { this.element.focus({ preventScroll: true }); this.move(place); });
      return row;
    });
    this.element = el("div", { class: "pairs", role: "listbox", tabindex: "0", "aria-label": "Pairs" },
      this.rows.map((row) => row.element));
    this.#paint();
  }

  // A group stands in several pairs, and is one thing in all of them.
  #group(side) {
    if (!this.groups.has(side.number)) {
      const unseen = side.others.map((one) => ({ ...one, decided: "undecided", not_these: [] }));
      this.groups.set(side.number, { number: side.number, total: side.total, faces: [...side.faces, ...unseen], into: null });
    }
    return this.groups.get(side.number);
  }

  get row() { return this.rows[this.at]; }

  get cell() { return { face: this.row.one.faces[0] }; }

  get cells() { return [...this.groups.values()].flatMap((group) => group.faces.map((face) => ({ face }))); }

  move(to) {
    this.at = Math.max(0, Math.min(this.rows.length - 1, to));
    this.#paint();
    this.row.element.scrollIntoView({ block: "nearest" });
  }

  open() { return this.rows.filter((row) => this.#state(row) === "open"); }

  // Goes on to the next pair that is open; false where there is none.
  moveOn() {
    for (let step = 1; step <= this.rows.length; step += 1) {
      const place = (this.at + step) % this.rows.length;
      if (this.#state(this.rows[place]) === "open") {
        this.move(place);
        return true;
      }
    }
    return false;
  }

  #state(row) {
    if (row.answer) return row.answer;
    if (row.other && rootOf(row.one) === rootOf(row.other)) return "joined";
    if ([row.one, row.other].some((group) => group && !group.faces.some(isOpen))) return "named";
    return "open";
  }

  #paint() {
    const said = {
      open: "the same?", same: "the same", apart: "not the same", joined: "one group by now", named: "decided by now",
    };
    this.rows.forEach((row, place) => {
      const state = this.#state(row);
      row.said.textContent = row.trouble || said[state];
      row.element.dataset.state = row.trouble ? "trouble" : state;
      row.element.classList.toggle("current", place === this.at);
      row.element.setAttribute("aria-selected", String(place === this.at));
      row.element.setAttribute("aria-label", `${row.label}: ${row.trouble || said[state]}, ${row.words}`);
    });
    this.element.setAttribute("aria-activedescendant", this.row.element.id);
    this.changed();
  }

  // Takes what the gallery says of faces by now.
  hear(faces) {
    const known = new Map(faces.map((face) => [face.id, face]));
    for (const { face } of this.cells) Object.assign(face, known.get(face.id) ?? {});
    this.#paint();
  }

  // How many faces an answer is of.
  amount() {
    const { one, other } = this.row;
    return other ? rootOf(one).total + rootOf(other).total : this.#faces(one).length;
  }

  // The open faces of a group, and of those that were joined with it here.
  #faces(group) {
    const all = [...this.groups.values()].filter((one) => rootOf(one) === rootOf(group));
    return all.flatMap((one) => one.faces).filter(isOpen);
  }

  answer(same) {
    const { row } = this;
    if (this.#state(row) !== "open") return;
    row.trouble = "";
    row.answer = same ? "same" : "apart";
    if (row.other) this.#join(row, same);
    else this.#name(row, same);
    this.#paint();
  }

  #name(row, same) {
    const faces = this.#faces(row.one);
    const before = faces.map((face) => ({ ...face }));
    const title = same ? `Confirmed ${count(faces.length, "face")} as ${row.name}.`
      : `${count(faces.length, "face")} ${faces.length === 1 ? "is" : "are"} not ${row.name}.`;
    faces.forEach((face) => Object.assign(face, same
      ? { decided: "confirmed", character: row.name } : { decided: "not_this", not_these: [...face.not_these, row.name] }));
    this.#write(row, title, "decisions", () => ({
      action: same ? "confirm" : "reject", name: row.name,
      faces: faces.map(({ id, version }) => ({ id, version })),
    }), () => faces.forEach((face, place) => {
      const { version, ...former } = before[place];
      Object.assign(face, former);
    }), (answer) => {
      this.hear([...answer.faces, ...answer.stale]);
      if (answer.stale.length) {
        row.trouble = "somebody decided meanwhile";
        say(`${count(answer.stale.length, "face")} left alone: somebody decided meanwhile.`);
      }
      return answer.step?.id ?? null;
    });
  }

  #join(row, same) {
    const [large, small] = [rootOf(row.one), rootOf(row.other)].sort((one, other) => other.total - one.total);
    const total = large.total + small.total;
    const given = (group) => ({ number: rootOf(group).number, faces: group.faces.map((face) => face.id) });
    if (!same) {
      this.#write(row, "These two groups are not the same.", "groups/apart",
        () => ({ groups: [given(row.one), given(row.other)] }), () => {}, (answer) => answer.id);
      return;
    }
    // What is sent is of before they are one here.
    const groups = () => [large, small].map((group) => ({ number: group.number, faces: group.faces.map((face) => face.id) }));
    small.into = large;
    large.total = total;
    this.#write(row, `Joined 2 groups: ${count(total, "face")} in one.`, "groups/join", () => ({ groups: groups() }), () => {
      small.into = null;
      large.total = total - small.total;
    }, (answer) => answer.step.id);
  }

  // Painted at once, written in order; what fails comes back and is marked.
  #write(row, title, what, body, back, heard) {
    const undone = () => {
      back();
      row.answer = null;
      row.trouble = "";
      this.#paint();
    };
    const entry = noted({ board: this, cells: this.cells, title, step: null, restore: undone });
    say(title);
    write(what, body).then((answer) => { entry.step = heard(answer); this.#paint(); }, (error) => {
      undone();
      row.trouble = "not saved";
      this.#paint();
      say(`Not saved: ${error.message}`);
    });
  }
}

function rootOf(group) {
  let found = group;
  while (found.into) found = found.into;
  return found;
}

export async function pairs(_, told) {
  const { pairs: found } = await get("pairs");
  if (!found.length) {
    return {
      content: [el("h1", {}, "No two groups look like one"), el("p", {}, "Enter goes to the clusters.")],
      next: () => "#/clusters",
    };
  }
  const list = new PairList(found, told.changed);
  const again = async () => { await settled(); return "#/pairs"; };
  const answer = (same) => {
    if (list.open().includes(list.row)) list.answer(same);
    if (!list.moveOn()) say("All pairs are answered: Enter asks for more.");
  };
  return {
    content: [
      el("h1", {}, "The same?"),
      el("p", { class: "faint" }, `${count(found.length, "pair")}, likeliest first. Enter: the same. ${label("reject")}: not the same, and it is never asked again.`),
      list.element,
    ],
    list, element: list.element, next: again,
    press: (event, action) => {
      const to = { ArrowDown: list.at + 1, ArrowUp: list.at - 1, Home: 0, End: list.rows.length - 1 }[event.key];
      if (to !== undefined) list.move(to);
      else if (event.key === "Enter" && list.open().length) answer(true);
      else if (action === "reject") answer(false);
      else return false;
      return true;
    },
    bar: (button) => (list.open().length ? [
      button("Enter", "The same", list.amount(), () => answer(true), list.row.isLikely ? "main" : ""),
      button(label("reject"), "Not the same", list.amount(), () => answer(false), list.row.isLikely ? "" : "main"),
    ] : [button("Enter", "Ask for more", null, () => told.onward(), "main")]),
  };
}
