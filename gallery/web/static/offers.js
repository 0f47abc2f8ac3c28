// Better answers are offered, never moved under the hand: "12 more look like Rei now".
// The gallery answers anew in the background; here its revision is asked for now and then.

import { count, el } from "./dom.js";
import { get } from "./server.js";

const EVERY = Number(document.body.dataset.look);
const MOST = 8;

const place = document.getElementById("offer");

// Since which revision each name is watched, the newest name last; null until the first look.
const watched = new Map();
let revision = null;
let asked = null;

// Watches a name from now on, which was decided of or is looked at.
export function watch(name) {
  if (name === null) return;
  const since = watched.get(name) ?? revision;
  watched.delete(name);
  watched.set(name, since);
  if (watched.size > MOST) watched.delete(watched.keys().next().value);
}

// A view of a name shows all that is known of it.
export function seen(name) {
  watched.delete(name);
  watch(name);
  if (place.dataset.name === name) hide();
}

function hide() {
  place.replaceChildren();
  delete place.dataset.name;
}

async function look() {
  const news = await get("news");
  revision ??= news.revision;
  for (const [name, since] of watched) watched.set(name, since ?? news.revision);
  // What still changes is waited for.
  const isSettled = news.revision === asked;
  asked = news.revision;
  if (!isSettled || news.revision === revision) return;
  revision = news.revision;
  let best = null;
  for (const [name, since] of watched) {
    const { more } = await get("news", { name, since }).catch(() => ({ more: 0 }));
    if (more > (best?.more ?? 0)) best = { name, more };
  }
  if (best) offer(best);
}

function offer({ name, more }) {
  const to = `#/sure/${encodeURIComponent(name)}`;
  // The view that is open may be the one that is wanted.
  const open = () => { if (location.hash === to) window.dispatchEvent(new HashChangeEvent("hashchange")); };
  place.dataset.name = name;
  place.replaceChildren(
    el("a", { class: "button", href: to, onclick: open },
      `${count(more, "more face")} ${more === 1 ? "looks" : "look"} like ${name} now`),
    el("button", { type: "button", class: "quiet", onclick: () => { watched.set(name, revision); hide(); } }, "Not now"));
}

async function go() {
  // A page that nobody sees asks nothing.
  if (!document.hidden) await look().catch(() => {});
  setTimeout(go, EVERY);
}

go();
