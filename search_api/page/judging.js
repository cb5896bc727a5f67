// A person's word on a match: right or wrong, and taken back.
import { button, make, say } from "./element.js";
import { inGallery, send } from "./service.js";

export class Judging {
  constructor(root, judged) {
    Object.assign(this, { root, judged, latest: null });
    this.told = make("p", { role: "status" });
    this.buttons = make("div", { className: "actions" });
    root.replaceChildren(this.buttons, this.told);
  }

  // about the pair of the query of an answer and one of its matches
  about(answer, match) {
    Object.assign(this, { answer, match });
    if (match.image_id !== this.latest?.image) this.latest = null;
    const known = this.latest ?? (match.judgement ? { ...match.judgement, image: match.image_id } : null);
    this.#show(known);
  }

  #show(judgement, told = "") {
    const choices = { right: "Right match", wrong: "Wrong match" };
    const buttons = Object.entries(choices).map(([says, text]) => button(text, () => this.#judge(says), { "aria-pressed": String(judgement?.says === says) }));
    const undo = judgement?.judgement_id ? button("Undo", () => this.#undo(judgement)) : null;
    const hadFocus = this.buttons.contains(document.activeElement);
    this.buttons.replaceChildren(...buttons, ...(undo ? [undo] : []));
    if (hadFocus) (undo ?? buttons[0]).focus(); // what was pressed is there no more
    say(this.told, told);
  }

  async #judge(says) {
    const { answer, match } = this;
    await this.#try(async () => {
      const sent = { query_checksum: answer.query.checksum, image_id: match.image_id, says };
      this.latest = { ...await send("POST", inGallery(answer.gallery, "/judgements"), sent), image: match.image_id };
      const told = says === "wrong" ? "Thank you. This pair is left out of later searches." : "Thank you, that is noted.";
      this.#show(this.latest, told);
      this.judged(this.latest);
    });
  }

  async #undo(judgement) {
    await this.#try(async () => {
      await send("DELETE", inGallery(this.answer.gallery, `/judgements/${judgement.judgement_id}`));
      this.latest = { image: this.match.image_id };
      this.#show(null, "Taken back.");
      this.judged(null);
    });
  }

  async #try(work) {
    try {
      await work();
    } catch (problem) {
      say(this.told, [problem.message, problem.advice].filter(Boolean).join(" "), { problem: true });
    }
  }
}
