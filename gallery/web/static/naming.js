// The name box: completion by any part of a name, also a former one; Enter takes the first.
// It is empty whenever it opens, since a name is never the next one's default.

import { count, el } from "./dom.js";
import { get } from "./server.js";

const MOST = 8;
const dialog = document.getElementById("naming");

let lastName = null;
export const last = () => lastName;
export const remember = (name) => { lastName = name; };

const folded = (text) => text.normalize("NFKC").toLocaleLowerCase();

function found(characters, typed) {
  const wanted = folded(typed.trim());
  if (!wanted) return [];
  const worth = ({ name, former }) => {
    const own = folded(name);
    if (own === wanted) return 0;
    if (own.startsWith(wanted)) return 1;
    if (own.split(/\s+/).some((part) => part.startsWith(wanted))) return 2;
    if (own.includes(wanted)) return 3;
    // Family names stand first or last.
    if (wanted.split(/\s+/).every((word) => own.split(/\s+/).some((part) => part.startsWith(word)))) return 3;
    return former.some((one) => folded(one).includes(wanted)) ? 4 : 9;
  };
  return characters
    .map((one) => [worth(one), one])
    .filter(([rank]) => rank < 9)
    .sort(([a, one], [b, other]) => a - b || other.samples - one.samples)
    .slice(0, MOST)
    .map(([, one]) => one);
}

// Asks for a name for so many faces; resolves to { name, fresh }, or null where nobody is named.
export async function ask(faces) {
  const { characters } = await get("characters");
  return new Promise((resolve) => {
    let choices = [];
    let at = 0;
    const list = el("ul", { id: "names", role: "listbox", "aria-label": "Names" });
    const box = el("input", {
      type: "text", autocomplete: "off", spellcheck: "false", maxlength: "300", role: "combobox",
      "aria-expanded": "true", "aria-controls": "names", "aria-labelledby": "naming-title",
    });
    const finish = (value) => {
      dialog.close();
      dialog.replaceChildren();
      resolve(value);
    };
    const show = () => {
      list.replaceChildren(...choices.map((one, place) => el(
        "li", {
          role: "option", id: `name-${place}`, "aria-selected": String(place === at),
          onclick: () => finish(one),
        },
        el("span", {}, one.fresh ? `Somebody new: ${one.name}` : one.name),
        el("span", { class: "faint" }, one.note))));
      if (choices.length) box.setAttribute("aria-activedescendant", `name-${at}`);
      else box.removeAttribute("aria-activedescendant");
    };
    const complete = () => {
      const typed = box.value.trim();
      choices = found(characters, typed).map(({ name, samples }) => ({
        name, fresh: false, note: count(samples, "reference"),
      }));
      const isKnown = characters.some((one) => one.name === typed);
      if (typed && !isKnown) choices.push({ name: typed, fresh: true, note: "" });
      at = 0;
      show();
    };
    box.addEventListener("input", complete);
    box.addEventListener("keydown", (event) => {
      // While kana become kanji, keys are the input method's.
      if (event.isComposing) return;
      event.stopPropagation();
      if (event.key === "Escape") finish(null);
      else if (event.key === "Enter") {
        if (choices.length) finish(choices[at]);
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const step = event.key === "ArrowDown" ? 1 : -1;
        at = (at + step + choices.length) % Math.max(choices.length, 1);
        show();
      } else return;
      event.preventDefault();
    });
    dialog.oncancel = (event) => { event.preventDefault(); finish(null); };
    dialog.replaceChildren(
      el("h2", { id: "naming-title" }, `Who ${faces === 1 ? "is this face" : `are these ${faces} faces`}?`),
      box, list,
      el("p", { class: "faint" }, "Any part of a name. Enter takes the first, Esc none."));
    complete();
    dialog.showModal();
    box.focus();
  });
}
