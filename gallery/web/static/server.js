// Talking to the gallery: reading at once, writing one after another in the order it was decided.

const key = document.body.dataset.key;
const saving = document.getElementById("saving");

export const crop = (face, large = false) =>
  `/api/v1/crops/${face}.webp?${large ? "large=true&" : ""}of=${key}`;
export const reference = (sample) => `/api/v1/references/${sample}.webp?of=${key}`;
export const original = (face) => `/api/v1/pictures/${face}.webp`;

export async function get(what, parameters = {}) {
  return answerOf(await fetch(`/api/v1/${what}?${new URLSearchParams(parameters)}`));
}

async function post(what, body) {
  const headers = { "content-type": "application/json" };
  return answerOf(
    await fetch(`/api/v1/${what}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

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
      if (error instanceof TypeError) throw new Error("The gallery does not answer.");
      throw error;
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
