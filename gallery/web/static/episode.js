// Episodes: the tracks of a video on a time line, a lane for each character, a bar for each track.
// A track is one face followed through a shot: what is decided of it is decided of all its faces.

import { Board, isOpen } from "./board.js";
import { count, el, say } from "./dom.js";
import { label } from "./keys.js";
import { crop, get, settled } from "./server.js";

const address = (...parts) => `#/${["episode", ...parts.map(encodeURIComponent)].join("/")}`;

// Pixels a second; the time line opens with the one that most tracks are told apart by.
const SCALES = [1, 2, 4, 8, 16, 32, 64];
const NARROWEST = 58;
const LEVEL = 62;
const SVG = "http://www.w3.org/2000/svg";

export const clock = (seconds) => {
  const whole = Math.floor(seconds);
  const rest = `${String(Math.floor(whole / 60) % 60).padStart(whole >= 3600 ? 2 : 1, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${rest}` : rest;
};

export async function episode([digest, after], told) {
  return digest ? timeline(digest, after, told) : list();
}

async function list() {
  const found = await get("episodes");
  if (!found.length) {
    return {
      content: [el("h1", {}, "No video was labelled yet"), el("p", {}, "Videos are labelled as pictures are: ", el("code", {}, "gallery label FILE"), ".")],
      next: () => "#/today",
    };
  }
  const first = found.find((one) => one.decided < one.tracks);
  const part = (kind, tracks) => {
    const made = el("span", { class: kind });
    made.style.flexGrow = String(tracks);
    return made;
  };
  const rows = found.map((one) => {
    const left = ["sure", "doubtful", "unknown"].filter((kind) => one[kind]).map((kind) => `${one[kind].toLocaleString("en")} ${kind}`);
    return el("li", {}, el("a", { class: "episode", href: address(one.digest) },
      el("b", {}, one.name),
      el("span", { class: "faint" }, `${count(one.tracks, "track")}: ${[`${one.decided.toLocaleString("en")} decided`, ...left].join(", ")}`),
      el("span", { class: "share", "aria-hidden": "true" }, ["decided", "sure", "doubtful", "unknown"].map((kind) => part(kind, one[kind])))));
  });
  return {
    content: [
      el("h1", {}, "Episodes"),
      el("p", { class: "faint" }, `${count(found.length, "video")}. Each opens as a time line, with a lane for each character.`),
      el("ul", { class: "episodes" }, rows),
    ],
    next: first ? () => address(first.digest) : () => "#/today",
  };
}

async function timeline(digest, after, told) {
  const shown = await get(`episodes/${digest}`, after ? { after } : {});
  if (!shown.lanes.length) {
    return { content: [el("h1", {}, shown.name), el("p", {}, "Nobody was seen in it. Enter goes back to the videos.")], next: () => address() };
  }
  const view = new Timeline(shown, told);
  return view.made();
}

class Timeline {
  constructor(shown, told) {
    this.shown = shown;
    this.told = told;
    this.isOpened = false;
    this.scale = this.#fitting();
    this.board = new Board(shown.lanes.map((lane) => ({
      label: `${lane.title}, ${count(lane.tracks.length, "track")}`, name: lane.name, faces: lane.tracks, alternatives: [],
      before: [el("div", { class: "lane-title" }, el("b", {}, lane.title), el("span", { class: "faint" }, ` ${count(lane.tracks.length, "track")}`))],
    })), {
      ...told, each: true, changed: () => { this.#follow(); told.changed(); },
      clicked: (cell) => { this.isOpened = true; this.#follow(cell); },
    });
    this.board.element.classList.add("lanes");
    this.panel = el("section", { class: "track", "aria-label": "The track", hidden: true });
    this.overview = this.#overview();
    this.ruler = el("div", { class: "ruler", "aria-hidden": "true" });
    this.scroller = el("div", { class: "timeline" }, el("div", { class: "stretch" }, this.ruler, this.board.element));
    this.scroller.addEventListener("scroll", () => this.#frame());
    this.#place();
  }

  // The scale at which half of the tracks are wide enough to be told.
  #fitting() {
    const lengths = this.shown.lanes.flatMap((lane) => lane.tracks.map((one) => one.end - one.start)).sort((one, other) => one - other);
    const usual = lengths[Math.floor(lengths.length / 2)] || 1;
    return SCALES.find((scale) => scale * usual >= NARROWEST) ?? SCALES.at(-1);
  }

  get long() { return Math.max(this.shown.end - this.shown.start, 1); }

  #x(seconds) { return (seconds - this.shown.start) * this.scale; }

  // Places bars by time; those that would lie over one another in a lane lie below.
  #place() {
    this.scroller.firstChild.style.setProperty("--long", `${Math.ceil(this.long * this.scale) + NARROWEST}px`);
    for (const group of this.board.groups) {
      const levels = [];
      for (const cell of this.board.cells.filter((one) => one.group === group)) {
        const left = this.#x(cell.face.start);
        const wide = Math.max((cell.face.end - cell.face.start) * this.scale, NARROWEST);
        let level = levels.findIndex((end) => end <= left);
        if (level < 0) level = levels.length;
        levels[level] = left + wide + 2;
        cell.element.classList.toggle("narrow", wide < 110);
        cell.element.style.left = `${left}px`;
        cell.element.style.width = `${wide}px`;
        cell.element.style.top = `${level * LEVEL}px`;
        cell.element.dataset.verdict = cell.face.verdict;
      }
      group.element.querySelector(".faces").style.height = `${levels.length * LEVEL}px`;
    }
    const step = [1, 2, 5, 10, 30, 60, 120, 300, 600].find((one) => one * this.scale >= 70) ?? 600;
    const marks = [];
    for (let at = Math.ceil(this.shown.start / step) * step; at <= this.shown.end; at += step) {
      const mark = el("span", {}, clock(at));
      mark.style.left = `${this.#x(at)}px`;
      marks.push(mark);
    }
    this.ruler.replaceChildren(...marks);
  }

  zoom(by) {
    const to = SCALES[SCALES.indexOf(this.scale) + by];
    if (to === undefined) return say(by > 0 ? "It goes no nearer." : "It goes no farther.");
    this.scale = to;
    this.#place();
    this.board.cell.element.scrollIntoView({ block: "nearest", inline: "center" });
    this.#frame();
    return undefined;
  }

  // The whole stretch at a glance, with a frame around what is on the screen.
  #overview() {
    const { lanes, start, cuts } = this.shown;
    const drawn = document.createElementNS(SVG, "svg");
    const put = (name, values) => {
      const made = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
      drawn.append(made);
      return made;
    };
    drawn.setAttribute("viewBox", `0 0 ${this.long} ${lanes.length}`);
    drawn.setAttribute("preserveAspectRatio", "none");
    drawn.setAttribute("aria-hidden", "true");
    drawn.classList.add("overview");
    for (const cut of cuts) put("line", { x1: cut - start, x2: cut - start, y1: 0, y2: lanes.length, class: "cut" });
    this.marks = new Map();
    lanes.forEach((lane, place) => lane.tracks.forEach((one) => this.marks.set(one.id, put("rect", {
      x: one.start - start, y: place + 0.15, width: Math.max(one.end - one.start, this.long / 400), height: 0.7,
    }))));
    this.window = put("rect", { y: 0, height: lanes.length, class: "window" });
    drawn.style.height = `${Math.min(Math.max(lanes.length * 7, 28), 90)}px`;
    drawn.addEventListener("click", (event) => {
      const share = event.offsetX / drawn.clientWidth;
      this.scroller.scrollLeft = share * this.long * this.scale - this.scroller.clientWidth / 2;
    });
    return drawn;
  }

  #frame() {
    this.window.setAttribute("x", String(this.scroller.scrollLeft / this.scale));
    this.window.setAttribute("width", String(Math.min(this.scroller.clientWidth / this.scale, this.long)));
  }

  // Shows the track at hand, where tracks are opened, and paints the overview.
  #follow(cell = this.board?.cell) {
    if (!this.board || !this.marks) return;
    for (const one of this.board.cells) {
      const mark = this.marks.get(one.face.id);
      mark.setAttribute("class", `${isOpen(one.face) ? one.face.verdict : one.face.decided}${one === cell ? " at-hand" : ""}`);
    }
    this.panel.hidden = !this.isOpened;
    if (!this.isOpened || !cell) return;
    const { face } = cell;
    const state = cell.caption.textContent;
    const names = face.alternatives.filter((one) => one !== cell.group.name).slice(0, 5);
    this.panel.replaceChildren(
      el("img", { src: crop(face.id, true), alt: "", width: "130", height: "130" }),
      el("div", {},
        el("h2", {}, cell.group.name ?? cell.group.before[0].firstChild.textContent),
        el("p", {}, [state, isOpen(face) && state !== face.words ? face.words : null].filter(Boolean).join("; ")),
        el("p", { class: "faint" }, `${clock(face.start)} to ${clock(face.end)}, ${count(Math.max(Math.round(face.end - face.start), 1), "second")}`),
        names.length ? el("p", { class: "alternatives" }, names.map((name, place) => el("span", {}, el("kbd", {}, String(place + 1)), ` ${name} `))) : null));
  }

  open() {
    this.isOpened = true;
    this.#follow();
  }

  made() {
    const { shown } = this;
    const button = (key, text, by) => el("button", { type: "button", onclick: () => { this.zoom(by); this.board.element.focus({ preventScroll: true }); } }, el("kbd", {}, key), ` ${text}`);
    return {
      content: [
        el("p", { class: "faint" }, el("a", { href: address() }, "Episodes")),
        el("div", { class: "heading" },
          el("div", { class: "grow" }, el("h1", {}, shown.name),
            el("p", { class: "faint" }, `${count(shown.tracks, "track")}, ${clock(shown.start)} to ${clock(shown.end)}. Enter opens a track, then confirms it with all its faces.`)),
          button(label("nearer"), "Nearer", 1), button(label("farther"), "Farther", -1)),
        this.overview, this.scroller, this.panel,
      ],
      board: this.board,
      shown: () => { this.#frame(); this.#follow(); },
      zoom: (by) => this.zoom(by),
      press: (event) => {
        if (event.key === "Enter" && !this.isOpened && this.board.open().length) this.open();
        else if (event.key === "Escape" && this.isOpened) { this.isOpened = false; this.#follow(); }
        else return false;
        return true;
      },
      next: async () => {
        await settled();
        return shown.after ? address(shown.digest, shown.after) : address();
      },
    };
  }
}
