// The galleries that can be searched, and the long work that is done on them.
import { $, button, make, say } from "./element.js";
import { ImageList } from "./images.js";
import { origins } from "./origins.js";
import { ask, inGallery, post } from "./service.js";
import { noGallery, problemState } from "./states.js";
import { count, timeLeft } from "./words.js";

const EVERY = 2000; // milliseconds between two looks while something is being done
const ENDED = new Set(["done", "failed", "cancelled"]);
const KINDS = { import: "Import", upload: "Upload", amend: "Change of images", activate: "Change of the build", delete: "Deletion" };
const OUTCOMES = { queued: "waits for a worker", running: "running", done: "done", failed: "failed", cancelled: "cancelled" };

export class PlacesView {
  // `look(name, view)` goes into a gallery, `list(name)` to its images, `similar(name, image)` to a search;
  // `changed` when one was published
  constructor({ look, list, similar, changed }) {
    Object.assign(this, { look, list, changed, timer: null, running: new Set() });
    this.images = new ImageList({ close: () => list(null), similar, asked: (jobs) => this.#await(jobs) });
    $("add-form").addEventListener("submit", (event) => { event.preventDefault(); this.#add(); });
  }

  async show({ listed = null } = {}) {
    clearTimeout(this.timer);
    const isNew = listed && listed !== this.images.name;
    await Promise.all([this.#galleries(), this.#jobs(), this.images.show(listed)]);
    if (isNew) $("images-title").scrollIntoView();
  }

  hide() { clearTimeout(this.timer); }

  async #galleries() {
    try {
      const { galleries } = await ask("/v1/galleries");
      const opened = new Set([...$("galleries-list").querySelectorAll(".origins[open]")].map((each) => each.dataset.gallery));
      const shown = galleries.length ? galleries.map((each) => this.#gallery(each, { open: opened.has(each.name) })) : [make("li", {}, noGallery())];
      $("galleries-list").replaceChildren(...shown);
      const chosen = $("add-gallery").value;
      $("known-galleries").replaceChildren(...galleries.map(({ name }) => new Option(name)));
      if (!chosen && galleries.length) $("add-gallery").value = $("gallery").value || galleries[0].name;
    } catch (problem) {
      $("galleries-list").replaceChildren(make("li", {}, problemState(problem, () => this.show())));
    }
  }

  #gallery({ name, images, contents, build, encoder, published_at: at }, { open }) {
    const same = contents < images ? `, ${count(contents, "different picture")}` : "";
    return make("li", { className: "place" }, make("h3", {}, name), make("p", {}, `${count(images, "image")}${same}`),
      make("p", { className: "quiet" }, `Build ${build}, published ${new Date(at).toLocaleString()}; encoder ${encoder.name}`),
      origins(name, { open }),
      make("p", { className: "actions" }, button("Its images", () => this.list(name), { "aria-label": `Its images: ${name}` }), button("Search it", () => this.look(name, "search"), { "aria-label": `Search it: ${name}` }), button("Its map", () => this.look(name, "atlas"), { "aria-label": `Its map: ${name}` })));
  }

  async #jobs() {
    try {
      const { jobs } = await ask("/v1/jobs?limit=20");
      this.#tell(jobs);
      $("jobs-list").replaceChildren(...jobs.map((each) => this.#job(each)));
      say($("jobs-status"), jobs.length ? "" : "Nothing is being done, and nothing was lately. Imports and other long work are shown here.");
      const going = jobs.filter(({ state }) => !ENDED.has(state)).map(({ id }) => id);
      const ended = [...this.running].some((id) => !going.includes(id));
      this.running = new Set(going);
      if (ended) {
        this.changed();
        await Promise.all([this.#galleries(), this.images.show(this.images.name)]);
      }
      if (going.length) this.timer = setTimeout(() => this.#jobs(), EVERY);
    } catch (problem) {
      $("jobs-list").replaceChildren(make("li", {}, problemState(problem, () => this.#jobs())));
    }
  }

  #await(jobs) {
    for (const id of jobs) this.running.add(id);
    clearTimeout(this.timer);
    return this.#jobs();
  }

  #tell(jobs) { // only what has changed is said aloud
    const news = jobs.filter(({ id, state }) => this.running.has(id) && ENDED.has(state));
    if (news.length) say($("jobs-news"), news.map(({ kind, gallery, state }) => `${KINDS[kind] ?? kind} for ${gallery}: ${OUTCOMES[state]}.`).join(" "));
  }

  #job(job) {
    const { id, kind, gallery, state, progress, reason, errors, asked_at: at, asked_by: by, cancelling } = job;
    const title = make("h3", {}, `${KINDS[kind] ?? kind} for ${gallery}`);
    const lines = [make("p", { className: `outcome ${state}` }, cancelling && !ENDED.has(state) ? "is being cancelled" : OUTCOMES[state] ?? state)];
    if (progress && state === "running") lines.push(...bar(progress, id));
    if (reason) lines.push(make("p", {}, reason));
    if (errors) lines.push(make("p", {}, make("a", { href: `/v1/jobs/${id}/errors.csv`, download: "" }, `${count(errors, "file")} could not be read (table)`)));
    lines.push(make("p", { className: "quiet" }, `Asked for ${new Date(at).toLocaleString()}${by ? ` by ${by}` : ""}`));
    const cancel = ENDED.has(state) || cancelling ? null : button("Cancel", () => this.#cancel(id), { "aria-label": `Cancel job ${id}` });
    return make("li", { className: "place" }, title, ...lines, cancel);
  }

  async #cancel(id) {
    await ask(`/v1/jobs/${id}/cancel`, { method: "POST" }).catch((problem) => say($("jobs-news"), problem.message, { problem: true }));
    clearTimeout(this.timer);
    return this.#jobs();
  }

  async #add() {
    const name = $("add-gallery").value.trim();
    const form = new FormData();
    for (const file of $("add-files").files) form.append("files", file);
    if ($("add-label").value.trim()) form.set("label", $("add-label").value.trim());
    say($("add-status"), "Sending …");
    try {
      await post(inGallery(name, "/uploads"), form);
      say($("add-status"), "Sent. The pictures can be found once the job below is done.");
      $("add-files").value = "";
      clearTimeout(this.timer);
      await this.#jobs();
    } catch (problem) {
      say($("add-status"), [problem.message, problem.advice].filter(Boolean).join(" "), { problem: true });
    }
  }
}

function bar({ stage, done, total, per_second: rate, seconds_left: left }, id) {
  const told = [`${stage}: ${done.toLocaleString("en")}${total === null ? "" : ` of ${total.toLocaleString("en")}`}`,
    rate ? `${rate.toFixed(1)} a second` : "", timeLeft(left)].filter(Boolean).join(", ");
  const progress = make("progress", { max: total || 1, "aria-label": `Progress of job ${id}` });
  if (total) progress.value = done;
  return [progress, make("p", { className: "quiet" }, told)];
}
