// The images of a gallery, listed to be chosen from: several at once are removed or labelled.
import { $, button, make, say } from "./element.js";
import { ask, imageAddress, inGallery, send } from "./service.js";
import { problemState } from "./states.js";
import { count, nameOf } from "./words.js";

const [PAGE, MOST] = [60, 1000]; // images that are listed at a time, and in one answer
const [AT_ONCE, TRIES, LONGEST] = [4, 5, 60]; // requests beside each other; tries of one that is to wait, seconds of a wait
const BUSY = new Set([429, 503]);

export class ImageList {
  // `close()` goes away from it, `similar(gallery, image)` to a search, `asked(jobs)` looks
  // at the jobs of these ids
  constructor(actions) {
    Object.assign(this, { actions, name: null, latest: null, next: null, working: false });
    $("images-label").addEventListener("change", () => this.#list());
    $("images-close").addEventListener("click", () => actions.close());
    $("images-more").addEventListener("click", () => this.#more());
    $("images-list").addEventListener("change", () => this.#tell());
    $("choose-all").addEventListener("change", () => { for (const box of this.#boxes) box.checked = $("choose-all").checked; this.#tell(); });
    $("remove").addEventListener("click", () => this.#askWhether());
    $("bulk").addEventListener("submit", (event) => { event.preventDefault(); this.#label(); });
  }

  async show(name) { // null: no gallery is looked into
    $("images").hidden = !name;
    const isNew = name !== this.name;
    this.name = name;
    if (!name) return;
    say($("images-title"), `Images of ${name}`);
    try {
      const { labels } = await ask(inGallery(name));
      if (name !== this.name) return; // another list was opened meanwhile
      const chosen = isNew ? "" : $("images-label").value;
      $("images-label").replaceChildren(new Option("any", ""), ...Object.entries(labels).map(([label, images]) => new Option(`${label} (${images.toLocaleString("en")})`, label, false, label === chosen)));
      $("known-labels").replaceChildren(...Object.keys(labels).map((label) => new Option(label)));
      if (isNew) say($("images-status"), "");
      await this.#list({ again: !isNew });
    } catch (problem) {
      if (name === this.name) $("images-state").replaceChildren(problemState(problem, () => this.show(name)));
    }
  }

  get #boxes() { return [...$("images-list").querySelectorAll("input")]; }
  get #chosen() { return this.#boxes.filter((each) => each.checked); }

  async #list({ again = false } = {}) { // again: as many as are there, and what is chosen stays so
    this.next = null;
    $("images-state").replaceChildren();
    const chosen = again ? this.#chosen.map(({ value }) => value) : [];
    await this.#more({ limit: again ? Math.min(MOST, Math.max(PAGE, this.#boxes.length)) : PAGE, anew: true });
    for (const box of this.#boxes) box.checked = chosen.includes(box.value);
    this.#tell();
  }

  async #more({ limit = PAGE, anew = false } = {}) {
    const [{ name }, mine] = [this, (this.latest = {})];
    const label = $("images-label").value;
    const query = new URLSearchParams({ limit, ...(this.next ? { after: this.next } : {}), ...(label ? { label } : {}) });
    try {
      const { build, images, next_after: next } = await ask(`${inGallery(name, "/images")}?${query}`);
      if (mine !== this.latest || name !== this.name) return;
      $("images-state").replaceChildren();
      this.next = next;
      if (anew) $("images-list").replaceChildren();
      const first = $("images-list").children.length;
      $("images-list").append(...images.map((each) => this.#image(each, { gallery: name, build })));
      if (first) $("images-list").children[first]?.querySelector("input").focus();
      if (!$("images-list").children.length) $("images-state").replaceChildren(make("p", { className: "quiet" }, "There is no image to be listed."));
    } catch (problem) {
      if (mine === this.latest && name === this.name) $("images-state").replaceChildren(problemState(problem, () => this.#more({ limit, anew })));
    }
    $("images-more").hidden = !this.next;
    this.#tell();
  }

  #image(image, place) {
    const box = make("input", { type: "checkbox", value: image.image_id });
    box.dataset.uploaded = image.uploaded;
    return make("li", {}, make("label", {}, box, make("img", { src: imageAddress(place, image.image_id), alt: "", loading: "lazy" }),
      make("span", { className: "name", title: image.uri }, nameOf(image.uri)), make("span", { className: "quiet" }, image.label ?? "no label")),
      button("Find similar", () => this.actions.similar(place.gallery, image), { "aria-label": `Find similar to ${nameOf(image.uri)}` }));
  }

  #tell() {
    const chosen = this.#chosen.length;
    $("sure").hidden = true;
    say($("chosen-images"), chosen ? `${count(chosen, "image")} chosen` : "None is chosen");
    for (const id of ["remove", "set-label"]) $(id).disabled = !chosen || this.working;
    $("choose-all").indeterminate = chosen > 0 && chosen < this.#boxes.length;
    $("choose-all").checked = chosen > 0 && chosen === this.#boxes.length;
  }

  #askWhether() {
    const chosen = this.#chosen;
    const own = chosen.filter((each) => each.dataset.uploaded === "true").length;
    const files = own ? `${count(own, "of them was uploaded: its file is deleted", "of them were uploaded: their files are deleted")} for good. ` : "";
    $("sure").replaceChildren(make("p", {}, `Remove ${count(chosen.length, "image")} from ${this.name}? ${files}Files that lie elsewhere stay where they are, and are no images of this gallery any more.`),
      make("p", { className: "actions" }, button("Remove them", () => this.#remove()), button("Keep them", () => { this.#tell(); $("remove").focus(); })));
    $("sure").hidden = false;
    $("sure").querySelector("button").focus();
  }

  // another list may be opened while they run: the gallery of all their requests is the one that they began in
  async #remove() {
    const { name } = this;
    const removed = await this.#each(name, "Removing", (id) => send("DELETE", inGallery(name, `/images/${id}`)));
    if (name === this.name) for (const box of this.#boxes) if (removed.includes(box.value)) box.closest("li").remove();
    this.#end(name, removed, "removed. No search finds them any more", button("Undo", () => this.#undo(name, removed)));
  }

  async #undo(name, ids) {
    const back = await this.#each(name, "Taking back", (id) => send("DELETE", inGallery(name, `/removals/${id}`)), ids);
    this.#end(name, back, "taken back. They are found again once the job below is done");
  }

  async #label() {
    const [{ name }, label] = [this, $("new-label").value.trim() || null];
    const changed = await this.#each(name, "Labelling", (id) => send("PATCH", inGallery(name, `/images/${id}`), { label }));
    this.#end(name, changed, label ? `labelled “${label}”. That is seen once the job below is done` : "without a label now. That is seen once the job below is done");
  }

  // the ids of those that it was done with; what is refused is told, and keeps nothing else from being done
  async #each(name, doing, work, ids = this.#chosen.map(({ value }) => value)) {
    const [waiting, done] = [[...ids], []];
    Object.assign(this, { refused: [], jobs: new Set(), working: true });
    this.#tell();
    const one = async () => {
      for (let id = waiting.shift(); id; id = waiting.shift()) {
        await patiently(() => work(id)).then((job) => { done.push(id); this.jobs.add(job.id); }, (problem) => this.refused.push(problem.message));
        if (name === this.name) say($("images-status"), `${doing} … ${done.length} of ${ids.length}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    this.working = false;
    return done;
  }

  #end(name, done, what, undo = null) { // where the list is another one by now, it is said beside the jobs
    const isHere = name === this.name;
    const [where, of] = isHere ? [$("images-status"), ""] : [$("jobs-news"), `${name}: `];
    const refused = this.refused.length ? ` ${count(this.refused.length, "was", "were")} refused: ${this.refused[0]}` : "";
    say(where, of + (done.length ? `${count(done.length, "image is", "images are")} ${what}.${refused}` : refused.trim()), { problem: Boolean(refused) });
    if (undo && done.length) where.append(" ", undo);
    if (isHere) for (const box of this.#chosen) box.checked = false;
    this.#tell();
    this.actions.asked(this.jobs);
  }
}

async function patiently(work) { // where the service is busy, it says how long to wait
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (problem) {
      if (!BUSY.has(problem.status) || tries === TRIES) throw problem;
      await new Promise((resolve) => { setTimeout(resolve, 1000 * Math.min(LONGEST, problem.retryAfter ?? 1)); });
    }
  }
}
