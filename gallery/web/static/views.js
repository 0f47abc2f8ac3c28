// The views: each returns what is shown, its board of faces, and how the next screen is reached.

import { Board, isOpen } from "./board.js";
import { count, el, say } from "./dom.js";
import { drawable } from "./draw.js";
import { firstUse, takesPictures } from "./enroll.js";
import { label } from "./keys.js";
import { canvas } from "./preview.js";
import { get, reference, settled } from "./server.js";

const SCREEN = Number(document.body.dataset.screen);
// So few faces more come with the last screen of a name.
const REST = Number(document.body.dataset.rest);
const ROWS = Number(document.body.dataset.rows);

export const address = (view, ...parts) => `#/${[view, ...parts.map(encodeURIComponent)].join("/")}`;

const minutes = (number) => (number ? `about ${count(number, "minute")}` : "nothing left");

export async function today(_, told) {
  const left = await get("today");
  const card = (view, title, text, work) => el(
    "a", { class: work.faces ? "card" : "card empty", href: address(view) },
    el("h2", {}, title), el("p", { class: "amount" }, work.faces.toLocaleString("en")),
    el("p", {}, text), el("p", { class: "faint" }, minutes(work.minutes)));
  const total = left.sure.minutes + left.doubtful.minutes + left.unknown.minutes;
  const parts = [
    ["sure", left.sure], ["doubtful", left.doubtful],
    ["clusters", { faces: left.unknown.faces + left.alone }],
  ];
  const first = parts.find(([, work]) => work.faces)?.[0];
  if (!left.seen && !left.characters) return { content: await firstUse() };
  if (!left.seen) {
    return { content: [
      el("h1", {}, "Nothing was labelled yet"),
      el("p", { class: "lead" }, `${count(left.characters, "character")} can be recognized.`),
      el("p", {}, "Look through pictures or videos, and open this page again: ",
        el("code", {}, "gallery label FOLDER"), "."),
      el("p", {}, "Meanwhile ", el("a", { href: address("search") }, "search by a picture"), ", or ",
        el("a", { href: address("characters") }, "add pictures"), " of characters."),
    ] };
  }
  return {
    content: [
      el("h1", {}, first ? `About ${count(Math.max(total, 1), "minute")} of looking left` : "All is decided"),
      el("p", { class: "lead" },
        `${count(left.seen, "face")} seen: ${left.decided.toLocaleString("en")} decided, `
        + `${(left.seen - left.decided).toLocaleString("en")} left.`),
      left.stale ? el("p", { class: "faint" }, `The gallery changed: ${count(left.stale, "face")} may be answered otherwise by now. Begin gallery review again to see it.`) : null,
      el("div", { class: "cards" },
        card("sure", "Sure", `faces of ${count(left.sure.groups, "name")}, a hundred a screen`, left.sure),
        card("doubtful", "Doubtful", `faces of ${count(left.doubtful.groups, "name")}, in rows beside references`, left.doubtful),
        card("clusters", "Clusters", `unknown faces in ${count(left.unknown.groups, "group")}, and ${left.alone.toLocaleString("en")} alone`, { ...left.unknown, faces: left.unknown.faces + left.alone })),
      left.confirmed ? el("p", {}, el("button", { type: "button", onclick: told.references },
        el("kbd", {}, label("references")), ` Use confirmed faces as references`),
        el("span", { class: "faint" }, ` the few of ${left.confirmed.toLocaleString("en")} that teach most`)) : null,
      first ? el("p", { class: "faint" }, el("kbd", {}, "Enter"), " begins. ", el("kbd", {}, "?"), " shows all keys.") : null,
    ],
    next: first ? () => address(first) : null,
  };
}

export const references = (samples, name) => el(
  "span", { class: "references" },
  samples.map((sample) => el("img", {
    src: reference(sample), alt: `A reference of ${name}`, width: "72", height: "72", decoding: "async",
  })));

const nothing = (title, text) => ({
  content: [el("h1", {}, title), el("p", {}, text)],
  next: () => address("today"),
});

// Without a name, those of few faces share a screen; then `from` is where it begins.
export async function sure([name, from, place], told) {
  const names = await get("names");
  if (name) return sureOf(name, from, names, told, "sure");
  const start = Math.max(names.findIndex((one) => one.name === from), 0);
  const first = names[start];
  if (first === undefined) return nothing("No sure face is left", "Enter goes back to today.");
  const some = sharing(names.slice(start));
  if (place || some.length === 1) return sureOf(place ? from : first.name, place, names, told, "sure/");
  return sureOfSeveral(some, names, told);
}

// The names from the first one on whose faces fit on a screen.
function sharing(names) {
  let faces = 0;
  const end = names.findIndex((one, at) => (faces += one.faces) > SCREEN || at === ROWS);
  return names.slice(0, end < 0 ? names.length : Math.max(end, 1));
}

const chips = (names, shown) => el("nav", { class: "chips", "aria-label": "Names" }, names.map((one) => takesPictures(el(
  "a", { href: address("sure", one.name), "aria-current": shown.includes(one.name) ? "page" : null },
  one.name, el("span", { class: "faint" }, ` ${one.faces.toLocaleString("en")}`)), one.name)));

// Where the names behind those on a screen are: `view` is of one name, or of those that share one.
async function later(names, last, view) {
  await settled();
  const left = await get("names");
  const behind = names.slice(names.findIndex((one) => one.name === last) + 1);
  const next = behind.find((one) => left.some((two) => two.name === one.name));
  return next ? address(view, next.name) : address("doubtful");
}

async function sureOf(chosen, after, names, told, view) {
  const screen = await get("faces", { name: chosen, limit: SCREEN, rest: REST, ...(after ? { after } : {}) });
  const board = new Board([{
    label: chosen, name: chosen, faces: screen.faces, alternatives: [],
  }], { ticked: true, ...told });
  const odd = screen.faces.filter((face) => face.odd).length;
  const part = screen.total > screen.faces.length ? `, ${screen.faces.length} on this screen` : "";
  return {
    content: [
      chips(names, [chosen]),
      el("div", { class: "heading" },
        references(screen.references, chosen),
        el("div", {},
          el("h1", {}, chosen),
          el("p", { class: "faint" },
            `${count(screen.total, "sure face")}${part}`
            + (odd ? `; ${count(odd, "odd one")} first, left unticked.` : ".")))),
      board.element,
    ],
    board,
    next: async () => {
      await settled();
      return screen.after ? address(view, chosen, screen.after) : later(names, chosen, view);
    },
  };
}

async function sureOfSeveral(some, names, told) {
  const screens = await Promise.all(some.map(({ name }) => get("faces", { name, limit: SCREEN })));
  const board = new Board(screens.map((one) => ({
    label: one.name, name: one.name, faces: one.faces, alternatives: [],
    before: [el("div", { class: "side" }, references(one.references, one.name), el("h2", {}, one.name))],
  })), { ticked: true, ...told });
  const odd = board.cells.filter((cell) => cell.face.odd).length;
  return {
    content: [
      chips(names, some.map((one) => one.name)),
      el("h1", {}, "Sure"),
      el("p", { class: "faint" },
        `${count(board.cells.length, "face")} of ${count(some.length, "name")}`
        + (odd ? `; ${count(odd, "odd one")} first, left unticked.` : ".")),
      board.element,
    ],
    board,
    next: () => later(names, some.at(-1).name, "sure/"),
  };
}

export const alternatives = (names) => el("span", { class: "alternatives" }, names.slice(0, 5).map(
  (name, place) => el("span", {}, el("kbd", {}, String(place + 1)), ` ${name} `)));

export async function doubtful([from = "0"], told) {
  const start = Number(from) || 0;
  const screen = await get("doubtful", { start, limit: ROWS });
  if (!screen.rows.length) return nothing("No doubtful face is left", "Enter goes back to today.");
  const board = new Board(screen.rows.map((row) => ({
    label: `Perhaps ${row.name}`, name: row.name, faces: row.faces, alternatives: row.alternatives,
    before: [el("div", { class: "side" },
      references(row.references, row.name),
      el("div", {}, el("h2", {}, row.name, "?"),
        row.total > row.faces.length ? el("p", { class: "faint" }, `${row.faces.length} of ${row.total}`) : null,
        alternatives(row.alternatives)))],
  })), told);
  return {
    content: [
      el("h1", {}, "Doubtful"),
      el("p", { class: "faint" }, `${count(screen.total, "row")}. Left are references, and faces that are alike stand together; Enter confirms the ticked, else the row.`),
      board.element,
    ],
    board,
    next: () => onward("doubtful", "near", start, board, screen),
  };
}

// Unknown faces beside the character that is nearest: most are nobody's, so that the few that are
// somebody's are ticked, and no key takes the whole row.
export async function near([after], told) {
  const screen = await get("near", after ? { after } : {});
  if (!screen.rows.length && !screen.after) return nothing("No unknown face is left", "Enter goes back to today.");
  const board = new Board(screen.rows.map((row) => ({
    label: `Nearest is ${row.name}`, name: row.name, faces: row.faces, alternatives: row.alternatives,
    before: [el("div", { class: "side" },
      references(row.references, row.name),
      el("div", {}, el("h2", {}, row.name, "?"), el("p", { class: "faint" }, count(row.total, "unknown face"))))],
  })), { picked: true, ...told });
  return {
    content: [
      el("h1", {}, "Near"),
      el("p", { class: "faint" }, "Unknown faces beside the character that is nearest, likeliest first; many are nobody's. Tick those that are right: Shift+Enter confirms all ticked ones and goes on."),
      board.element,
    ],
    board,
    next: async () => {
      await settled();
      return screen.after ? address("near", screen.after) : address("clusters");
    },
  };
}

export async function clusters([from = "0"], told) {
  const start = Number(from) || 0;
  const screen = await get("clusters", { start, limit: ROWS });
  if (!screen.clusters.length) return nothing("No unknown face is left", "Enter goes back to today.");
  const board = new Board(screen.clusters.map((one) => {
    const names = one.alternatives;
    const text = one.number === null ? "Like no other" : count(one.total, "face");
    const title = el("h2", {}, text);
    return {
      label: text, name: null, faces: one.faces, alternatives: names, title,
      part: { number: one.number, total: one.total, isAlone: one.number === null },
      before: [el("div", { class: "side" }, el("div", {},
        title,
        one.total > one.faces.length ? el("p", { class: "faint" }, `${one.faces.length} are shown`) : null,
        one.number === null ? el("p", { class: "faint" }, "each by itself") : alternatives(names)))],
    };
  }), { whole: true, ...told });
  return {
    content: [
      el("h1", {}, "Clusters"),
      el("p", { class: "faint" }, "Unknown faces, grouped by likeness, largest first. / names the ticked, else the group; M joins groups, S splits the ticked off."),
      board.element,
    ],
    board,
    next: () => onward("clusters", "today", start, board, screen),
  };
}

// The next screen of rows: those that are still open stay behind, the decided ones are gone.
async function onward(view, after, start, board, screen) {
  await settled();
  const open = board.groups.filter((group) => group.faces.some(isOpen)).length;
  const left = (await get(view, { start: 0, limit: 1 })).total;
  const to = start + Math.min(open, screen.total);
  return left > to ? address(view, String(to)) : address(after);
}

export async function picture([face], told) {
  const shown = await get(`pictures/${face}`);
  const whole = canvas(shown, Number(face));
  const boxes = [...whole.querySelectorAll(".box")];
  const to = (one) => {
    const there = address("picture", String(one));
    if (location.hash === there) told.again();
    else location.replace(there);
  };
  const pen = shown.has_image && shown.width ? drawable(whole, shown, to) : null;
  const board = new Board(shown.faces.map((one) => ({
    label: one.character ?? "nobody known", name: one.character, faces: [one],
    alternatives: one.alternatives.filter((other) => other !== one.character),
    before: [el("h2", {}, one.character ?? "nobody known")],
  })), {
    ...told,
    moved: (cell) => boxes.forEach((box, place) =>
      box.classList.toggle("chosen", shown.faces[place] === cell.face)),
  });
  board.element.classList.add("few");
  const at = shown.faces.findIndex((one) => one.id === Number(face));
  return {
    content: [
      el("h1", {}, shown.name),
      el("p", { class: "faint" }, `${count(shown.faces.length, "face")}. Esc goes back.`),
      pen?.bar ?? null, whole, board.element,
    ],
    board, at, back: true, draw: pen?.begin ?? (() => say("Heads are drawn in pictures that are here; this one is not.")),
  };
}

export async function history(_, told) {
  // The newest step may be on its way.
  await settled();
  const { steps } = await get("history");
  if (!steps.length) return nothing("Nothing was decided yet", "Enter goes back to today.");
  const undone = new Set(steps.map((one) => one.undoes));
  const time = (one) => (one.made_at ? new Date(one.made_at).toLocaleString() : "earlier");
  const rows = steps.map((one) => el("li", {},
    el("span", { class: "what" }, one.title),
    el("span", { class: "faint" }, `step ${one.id}, ${time(one)}${one.who ? `, ${one.who}` : ""}`),
    undone.has(one.id) ? el("span", { class: "faint" }, "undone")
      : el("button", { type: "button", onclick: () => told.undoStep(one.id) }, "Undo")));
  return {
    content: [
      el("h1", {}, "History"),
      el("p", { class: "faint" }, "Newest first. An undo is a step, too; what a newer step decided is left alone."),
      el("ol", { class: "steps" }, rows),
    ],
    undone: told.again,
    next: () => address("today"),
  };
}
