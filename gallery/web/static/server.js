// Talking to the gallery: reading at once, writing one after another in the order it was decided.

const key = document.body.dataset.key;
const saving = document.getElementById("saving");

export const crop = (face, large = false) =>
  `/api/v1/crops/${face}.jpg?${large ? "large=true&" : ""}of=${key}`;
export const reference = (sample) => `/api/v1/references/${sample}.jpg?of=${key}`;
export const original = (face) => `/api/v1/pictures/${face}.jpg`;

export async function get(what, parameters = {}) {
  try {
    return await answerOf(await fetch(`/api/v1/${what}?${new URLSearchParams(parameters)}`));
  } catch (error) {
    throw silent(error);
  }
}

async function post(what, body) {
  const headers = { "content-type": "application/json" };
  return answerOf(
    await fetch(`/api/v1/${what}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

const LARGEST = Number(document.body.dataset.largest);

// Brings a picture: its bytes go as they are. Whether it is one is for the gallery to say.
export async function bring(what, file, parameters = {}) {
  if (file.size > LARGEST) throw new Error(`It has ${megabytes(file.size)}; at most ${megabytes(LARGEST)} are taken.`);
  const kind = file.type.startsWith("image/") ? file.type : "image/x-unknown";
  const way = { method: "POST", headers: { "content-type": kind }, body: file };
  try {
    return await answerOf(await fetch(`/api/v1/${what}?${new URLSearchParams(parameters)}`, way));
  } catch (error) {
    throw silent(error);
  }
}

const megabytes = (bytes) => `${Math.ceil(bytes / 1e6)} MB`;

const silent = (error) => (
  error instanceof TypeError ? new Error("The gallery does not answer.") : error);

async function answerOf(response) {
  if (response.ok) return response.json();
  const text = await response.text();
  let detail = text;
  try {
    detail = JSON.parse(text).detail;
  } catch { /* a sentence already */ }
  throw new Error(typeof detail === "string" ? detail : "The gallery does not understand this.");
}

let waiting = 0;
let last = Promise.resolve();

// Writes after all that was decided before. `body` is asked for when its turn comes.
export function write(what, body) {
  waiting += 1;
  tell();
  const done = last.then(async () => {
    const given = await body();
    if (given === null) return null;
    try {
      return await post(what, given);
    } catch (error) {
      throw silent(error);
    }
  });
  last = done.catch(() => null).finally(() => { waiting -= 1; tell(); });
  return done;
}

// Resolves when all is written.
export const settled = () => last;

function tell() {
  saving.textContent = waiting ? `saving ${waiting}` : "";
}

window.addEventListener("beforeunload", (event) => {
  if (waiting) event.preventDefault();
});
