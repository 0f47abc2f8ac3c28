// Audit: what may be wrong in the gallery, each with its command as a button. It is run on demand.

import { forgotten, noted } from "./board.js";
import { count, el, say } from "./dom.js";
import { get, reference, write } from "./server.js";

const images = (samples) => samples.map((sample) => el("img", {
  src: reference(sample), alt: `Sample ${sample}`, width: "96", height: "96", decoding: "async", loading: "lazy",
}));

// Asks before what cannot be undone; resolves to whether it is to be done.
function sure(question, does) {
  return new Promise((resolve) => {
    const dialog = el("dialog", { "aria-labelledby": "sure-title", class: "sure" },
      el("h2", { id: "sure-title" }, question),
      el("p", {}, "The pictures' files stay as they are. There is no undo for this in the page."),
      el("div", { class: "buttons" },
        el("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Cancel"),
        el("button", { type: "button", class: "main", onclick: () => dialog.close("yes") }, does)));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "yes"); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

class Row {
  constructor(audit, proposal, told) {
    this.audit = audit;
    this.told = told;
    this.entry = null;
    this.proposal = proposal;
    this.step = null;
    this.buttons = el("div", { class: "buttons" });
    this.trouble = el("p", { class: "trouble", role: "alert" });
    this.element = el("li", { class: "proposal" },
      el("div", { class: "proposal-faces" }, images(proposal.samples),
        proposal.beside.length ? el("span", { class: "beside", role: "group", "aria-label": "to compare with" }, images(proposal.beside)) : null),
      el("div", {}, el("p", {}, proposal.reason, proposal.words ? el("span", { class: "faint" }, ` ${proposal.words}`) : null), this.trouble, this.buttons,
        el("p", { class: "faint" }, el("code", {}, proposal.command))));
    this.#paint();
  }

  get first() { return this.buttons.querySelector("button"); }

  #button(text, work, kind = "") {
    return el("button", { type: "button", class: kind, onclick: work }, text);
  }

  #paint() {
    const { proposal } = this;
    this.element.dataset.status = proposal.status;
    const held = this.buttons.contains(document.activeElement);
    if (proposal.status === "open") {
      this.buttons.replaceChildren(...[
        proposal.fix ? this.#button(proposal.fix, () => this.#fix(), proposal.is_likely ? "main" : "") : null,
        proposal.is_doubted ? this.#button("It is right", () => this.#right(), proposal.is_likely ? "" : "main") : null,
      ].filter(Boolean));
    } else {
      const can = proposal.status === "right" ? this.step !== null : proposal.can_be_undone;
      this.buttons.replaceChildren(...[
        el("b", { class: "good" }, proposal.status === "right" ? "Right as it is" : `Done: ${proposal.fix}`),
        can ? this.#button("Undo", () => this.#undo()) : null,
      ].filter(Boolean));
    }
    // The focus stays in the row that it was in.
    if (held) this.first?.focus();
  }

  async #fix() {
    const { proposal } = this;
    if (!proposal.can_be_undone && !await sure(`${proposal.fix}? ${proposal.reason}`, proposal.fix)) return;
    await this.#write("audit/fix", (answer) => { this.proposal = answer; this.#note(); }, `${proposal.fix}: done.`);
  }

  #right() {
    return this.#write("audit/right", (answer) => { this.step = answer.id; this.proposal.status = "right"; this.#note(); }, "It is right as it is; no audit asks again.");
  }

  // The key that undoes means this row, also when the view was left and shown again.
  #note() {
    if (this.proposal.status === "done" && !this.proposal.can_be_undone) return;
    this.entry = noted({ back: async () => {
      await this.#undo();
      if (!this.element.isConnected && location.hash.startsWith("#/audit")) await this.told.again();
    } });
  }

  #undo() {
    forgotten(this.entry);
    if (this.proposal.status === "done") {
      return this.#write("audit/back", (answer) => { this.proposal = answer; }, "Undone.");
    }
    return this.#write("undo", () => { this.step = null; this.proposal.status = "open"; }, "Undone.", { step: this.step });
  }

  async #write(what, heard, told, body = { audit: this.audit, number: this.proposal.number }) {
    try {
      heard(await write(what, () => body));
      this.trouble.textContent = "";
      say(told);
    } catch (error) {
      this.trouble.textContent = `Not done: ${error.message}`;
      if (!this.element.isConnected) say(this.trouble.textContent);
    }
    this.#paint();
  }
}

export async function audit(_, told) {
  const found = await get("audit");
  const run = el("button", { type: "button", class: found.audit && !found.is_stale ? "" : "main", onclick: async () => {
    run.disabled = true;
    run.textContent = "Looking";
    await write("audit", () => ({})).then(() => say("The audit is done."), (error) => say(error.message));
    await told.again();
  } }, found.audit ? "Look again" : "Look for what may be wrong");
  if (!found.audit) {
    return {
      content: [
        el("h1", {}, "Audit"),
        el("p", {}, "Looks through the gallery's own samples: some may lie in the wrong folder, be nearly the same, or make one character look like two. Nothing is changed by looking."),
        el("p", {}, run),
      ],
      next: () => run.click(),
      element: run,
    };
  }
  const rows = found.proposals.map((one) => new Row(found.audit, one, told));
  const kinds = [...new Set(found.proposals.map((one) => one.title))];
  const list = (title) => rows.filter((row) => row.proposal.title === title);
  const move = (by) => {
    const open = rows.filter((row) => row.first);
    const at = open.findIndex((row) => row.element.contains(document.activeElement));
    const to = open[Math.max(0, Math.min(open.length - 1, at < 0 ? 0 : at + by))];
    to?.first.focus({ preventScroll: true });
    to?.element.scrollIntoView({ block: "nearest" });
  };
  return {
    content: [
      el("div", { class: "heading" },
        el("div", { class: "grow" }, el("h1", {}, rows.length ? "What may be wrong" : "Nothing looks wrong"),
          el("p", { class: "faint" }, `${count(found.total, "proposal")}${rows.length < found.total ? `, ${rows.length} of them shown` : ""}; looked at ${new Date(found.made_at).toLocaleString()}.`,
            found.is_stale ? " The gallery changed since then." : "")),
        run),
      ...kinds.flatMap((title) => [
        el("h2", { class: "kind" }, title, el("span", { class: "faint" }, ` ${list(title).length}`)),
        el("ul", { class: "proposals" }, list(title).map((row) => row.element)),
      ]),
    ],
    press: (event) => {
      if (event.key === "ArrowDown") move(1);
      else if (event.key === "ArrowUp") move(-1);
      else return false;
      return true;
    },
    next: () => "#/today",
  };
}
