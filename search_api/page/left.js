// Pictures that the service keeps though nobody asks with them here any more: they are offered to be deleted.
import { $, say } from "./element.js";
import { forget } from "./kept.js";
import { inTime } from "./words.js";

export class LeftPictures {
  constructor() {
    Object.assign(this, { until: new Map() }); // by their ids
    $("left-delete").addEventListener("click", () => this.#delete());
    $("left-keep").addEventListener("click", () => this.#end(""));
  }

  // a person went from one query to another, or to none
  leave(before, now) {
    for (const id of before?.queryIds ?? []) this.until.set(id, before.until);
    this.show(now);
  }

  show(query) { // what is asked with is not left
    for (const id of query?.queryIds ?? []) this.until.delete(id);
    const [last] = [...this.until.values()].reverse();
    $("left").hidden = !this.until.size;
    if (this.until.size) this.#tell(`What you asked with before is kept ${inTime(last)}, for whoever has its link.`);
  }

  #tell(text, { problem = false } = {}) {
    for (const id of ["left-delete", "left-keep"]) $(id).hidden = !this.until.size;
    say($("left-told"), text, { problem });
  }

  #end(text) {
    this.until.clear();
    this.#tell(text);
    $("left").hidden = !text;
    $("file").focus(); // what was pressed is gone
  }

  async #delete() {
    try {
      await forget([...this.until.keys()]);
      this.#end("Deleted: its link opens nothing any more.");
    } catch (problem) {
      this.#tell([problem.message, problem.advice].filter(Boolean).join(" "), { problem: true });
    }
  }
}
