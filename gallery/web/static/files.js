// Files that a person drops, pastes or chooses.

import { el, say } from "./dom.js";

const holds = (transfer) => [...(transfer?.types ?? [])].includes("Files");

// What is dropped beside a place for it would be opened in the place of the page.
for (const kind of ["dragover", "drop"]) {
  window.addEventListener(kind, (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    if (kind === "dragover") event.dataTransfer.dropEffect = "none";
  });
}

// Lets files be dropped on an element; `take` is given the transfer.
export function droppable(element, take) {
  const over = (is) => element.classList.toggle("dropping", is);
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = holds(event.dataTransfer) ? "copy" : "none";
    over(holds(event.dataTransfer));
  });
  element.addEventListener("dragleave", (event) => {
    if (!element.contains(event.relatedTarget)) over(false);
  });
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (holds(event.dataTransfer)) take(event.dataTransfer);
    else say("That is no file: save the picture, and drop it then. Addresses are not fetched.");
  });
  return element;
}

// An input for files, which a button opens; `take` is given a list of them.
export function chooser(take, properties = {}) {
  const input = el("input", { type: "file", accept: "image/*", hidden: true, ...properties });
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    if (files.length) take(files);
  });
  return input;
}

const PICTURE = /\.(apng|avifs?|bmp|dib|gif|hei[cf]s?|hif|j2[ck]|jfif?|jif|jp[2cefgx]|jpe?g|jxl|p?jpe?g|png|tiff?|webp)$/i;

const isPicture = (file) => file.type.startsWith("image/") || PICTURE.test(file.name);

// Returns the pictures of a transfer, { file, folders: [names] }, also those inside of folders, and
// how many other files lie there. A file that is dropped by itself is taken for a picture.
export async function picturesIn(transfer) {
  const entries = [...transfer.items].filter((one) => one.kind === "file")
    .map((one) => one.webkitGetAsEntry?.() ?? { isFile: true, file: one.getAsFile() });
  const found = [];
  let others = 0;
  const take = async (entry, folders) => {
    if (entry.isDirectory) {
      for await (const one of entriesOf(entry)) await take(one, [...folders, entry.name]);
      return;
    }
    const file = entry.file instanceof File ? entry.file
      : await new Promise((resolve, reject) => { entry.file(resolve, reject); });
    if (!folders.length || isPicture(file)) found.push({ file, folders });
    else others += 1;
  };
  for (const entry of entries) await take(entry, []);
  return { found, others };
}

// The same of files that were chosen; those of a folder have a path.
export function picturesOf(files) {
  const found = files.map((file) => ({ file, folders: file.webkitRelativePath.split("/").slice(0, -1) }));
  const kept = found.filter(({ file, folders }) => !folders.length || isPicture(file));
  return { found: kept, others: found.length - kept.length };
}

async function* entriesOf(folder) {
  const reader = folder.createReader();
  for (;;) {
    // A hundred at a time, whatever there is.
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return;
    yield* some;
  }
}
