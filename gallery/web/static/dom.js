// Elements made of data. Texts are texts: nothing here reads markup.

export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((one) => one !== null && one !== undefined));
  return made;
}

export const count = (number, noun) =>
  `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// A complaint of a file, which names it once: most sentences of the gallery begin with the name.
export const complaintOf = (file, why) => (why.startsWith(`${file} `)
  ? [el("b", {}, file), why.slice(file.length)] : [el("b", {}, file), `: ${why}`]);

const said = document.getElementById("said");

// What was said of one view is not left over another.
window.addEventListener("hashchange", () => { said.textContent = ""; });

// Tells what was done: on the screen, and to those who listen.
export function say(text) {
  said.textContent = "";
  requestAnimationFrame(() => { said.textContent = text; });
}
