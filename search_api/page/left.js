// Pictures that this visit had the service keep, and that are not asked with here any more: they are offered to be
// deleted.
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
    for (const id of before?.ownIds ?? []) this.until.set(id, before.until);
    this.show(now);
  }

  show(query) { // what is asked with is not left
    for (const id of query?.queryIds ?? []) this.until.delete(id);
    $("left").hidden = !this.until.size;
    if (this.until.size) this.#offer();
  }

  #offer(done = "") {
    const [last] = [...this.until.values()].reverse();
    this.#tell(`${done}What you asked with before is kept ${inTime(last)}, for whoever has its link.`);
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
    const sent = [...this.until.keys()]; // others may be left meanwhile
    try {
      await forget(sent);
      for (const id of sent) this.until.delete(id);
      if (this.until.size) this.#offer("Deleted. ");
      else this.#end("Deleted: its link opens nothing any more.");
    } catch (problem) {
      this.#tell([problem.message, problem.advice].filter(Boolean).join(" "), { problem: true });
    }
  }
}
