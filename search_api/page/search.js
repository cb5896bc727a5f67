// Searching: a picture and wishes become matches, each of which may be opened.
import { $, button } from "./element.js";
import * as address from "./address.js";
import { AskPanel } from "./asking.js";
import { Filters } from "./filters.js";
import { MatchDialog } from "./match.js";
import { Picture } from "./picture.js";
import { Results } from "./results.js";
import { Problem, imageAddress, inGallery, post, ask as request } from "./service.js";
import { problemState, state } from "./states.js";
import { nameOf } from "./words.js";

const TRIED = 8; // images to begin with where nothing was asked yet

export class SearchView {
  constructor(place) { // `place()` is the gallery that is looked into, and its build
    Object.assign(this, { place, picture: null, latest: null, asked: null, opened: false, early: null });
    this.panel = new AskPanel((picture) => this.ask(picture));
    this.panel.takes = () => !$("search").hidden;
    this.panel.refused = (name) => this.results.blank(problemState(new Problem({ title: "That is no picture", detail: `“${name}” is not an image file: choose, drop or paste a picture.` })));
    this.filters = new Filters($("filters"), () => this.ask(this.picture));
    this.results = new Results({
      place, open: (match) => this.#goTo({ match: match.image_id }, { opened: true }), similar: (image) => this.#similar(image),
      includeJudged: () => { $("include_judged").checked = true; this.ask(this.picture); },
    });
    this.dialog = new MatchDialog({
      closed: () => this.#closed(), similar: (match) => this.#similar(match), step: (by) => this.#step(by),
      masked: (boxes) => this.ask(this.picture.with({ masked: boxes }), { open: this.dialog.match.image_id }),
      judged: (imageId, judgement) => this.results.judged(imageId, judgement),
    });
    $("more").addEventListener("click", () => this.#more());
  }

  learn(detail) {
    this.filters.learn(detail);
    this.results.learn(detail);
  }

  // what a person asks: it goes into the address, and the matches follow
  ask(picture, { open = null } = {}) {
    if (!this.place()) { // no gallery is known yet: it is asked once there is one
      this.early = picture;
      return this.panel.show(picture);
    }
    this.picture = picture;
    this.#write({ match: open }, { replace: Boolean(open) });
    this.panel.show(picture);
    return this.#search(open);
  }

  // what an address asks
  show(told) {
    const { early } = this;
    this.early = null;
    if (early) return this.ask(early);
    this.filters.set(told);
    this.picture = this.#told(told);
    this.panel.show(this.picture);
    if (told.lost) return this.results.blank(state("empty", "The picture is not here any more", "A picture of yours is kept by nobody, so this page has forgotten it: choose it again."));
    const same = this.asked && this.asked === this.#question() && this.results.answer;
    return same ? this.#open(told.match) : this.#search(told.match ?? null);
  }

  #told(told) {
    const part = { crop: told.crop?.split(",").map(Number) ?? null, masked: (told.masked ?? []).map((each) => each.split(",").map(Number)) };
    if (told.file) return Picture.ofFile(told.file).with(part);
    if (!told.image) return null;
    const { image_id: known, name } = this.picture ? { image_id: this.picture.imageId, name: this.picture.name } : {};
    return new Picture({ ...this.place(), imageId: told.image, name: String(known) === told.image ? name : "" }).with(part);
  }

  get params() { // as an address tells them
    const { picture } = this;
    const asked = picture ? { image: picture.imageId, crop: picture.crop?.join(), masked: picture.masked.map((box) => box.join()) } : {};
    return { gallery: this.place().gallery, ...asked, ...this.filters.told };
  }

  #question() { return JSON.stringify([this.params, address.fileName(this.picture?.file)]); }

  #write(more = {}, options = {}) { address.write({ ...this.params, ...more }, { file: this.picture?.file, ...options }); }

  async #search(open = null) {
    const mine = (this.latest = {});
    if (!this.picture) { this.dialog.close(); this.asked = null; return this.#begin(mine); }
    const question = this.#question();
    this.results.wait(this.filters.k);
    try {
      const answer = await post("/v1/search", this.#form());
      if (mine !== this.latest) return; // something else was asked meanwhile
      this.asked = question;
      if (!this.picture.name) this.panel.show(this.picture = this.picture.with({ name: nameOf(answer.query.uri) }));
      if (answer.matches.length) this.results.show(answer);
      else this.#nothing(answer);
      await this.#open(open);
    } catch (problem) {
      if (mine !== this.latest) return;
      this.asked = null;
      this.dialog.close();
      if (problem.kind === "unreadable-image") this.panel.unreadable();
      this.results.blank(problemState(problem, () => this.#search()));
    }
  }

  #form(more = {}) {
    const form = this.filters.put(this.picture.put(new FormData()));
    for (const [name, value] of Object.entries({ gallery: this.place().gallery, ...more })) form.set(name, value);
    return form;
  }

  async #more() {
    const [mine, { next_cursor: cursor }] = [this.latest, this.results.answer];
    $("more").disabled = true;
    try {
      const answer = await post("/v1/search", this.#form({ cursor }));
      if (mine === this.latest) this.results.add(answer);
    } catch (problem) {
      if (mine === this.latest) $("state").replaceChildren(problemState(problem, () => this.#more()));
    } finally {
      $("more").disabled = false;
    }
  }

  #nothing(answer) {
    const left = answer.left_out ? "Matches that were judged wrong are left out." : "";
    const advice = this.filters.isNarrow ? "No image of the gallery is left by what you chose under “Which images”." : "The gallery has no image to be found.";
    const actions = [this.filters.isNarrow ? button("Ask for any image", () => $("clear").click()) : null,
      answer.left_out ? button("Show what was judged wrong", () => { $("include_judged").checked = true; this.ask(this.picture); }) : null];
    this.results.blank(state("empty", "Nothing was found", [advice, left], ...actions));
    this.results.answer = answer;
  }

  async #begin(mine) { // nothing is asked yet: some images of the gallery to begin with
    const intro = state("empty", "Find the images that look like yours", ["Choose a picture, drop it anywhere on this page, or paste it. What makes it and each match alike is shown on both pictures.",
      "Your picture is not kept."]);
    this.results.blank(intro);
    const { gallery, build } = this.place();
    const map = await request(`${inGallery(gallery, "/map")}?build=${build}`).catch(() => null);
    if (!map?.clusters.length || mine !== this.latest) return;
    const images = map.clusters.slice(0, TRIED).map(({ exemplar }, place) => button("", () => this.#similar({ image_id: exemplar }), { className: "example", "aria-label": `Begin with an image of the gallery, ${place + 1}` }));
    images.forEach((each, place) => each.append(Object.assign(new Image(), { src: imageAddress(this.place(), map.clusters[place].exemplar), alt: "" })));
    intro.append(Object.assign(document.createElement("p"), { textContent: "Or begin with one of the gallery:" }), Object.assign(document.createElement("div"), { className: "examples" }));
    intro.lastChild.append(...images);
  }

  leave() { this.dialog.close(); }

  similar(image) { return this.#similar(image); }

  #similar(image) {
    this.dialog.close();
    return this.ask(Picture.ofImage(this.place(), image).with(image.uri ? {} : { name: "" }));
  }

  #goTo(more, { opened = false } = {}) {
    this.opened = opened;
    this.#write(more);
    return this.#open(more.match);
  }

  #open(imageId) {
    const match = imageId && this.results.answer?.matches.find((each) => String(each.image_id) === String(imageId));
    if (match) return this.dialog.open(match, this.results.answer, this.picture);
    if (imageId && this.dialog.isOpen && this.results.answer) return this.dialog.open({ ...this.dialog.match, rank: 0 }, this.results.answer, this.picture);
    return this.dialog.close(); // the address names none that was found
  }

  #step(by) {
    const { matches } = this.results.answer;
    const next = matches[matches.findIndex(({ image_id: id }) => id === this.dialog.match.image_id) + by];
    if (!next) return;
    this.#write({ match: next.image_id }, { replace: true });
    this.#open(next.image_id);
  }

  #closed() {
    if (!address.read().match) return;
    if (this.opened) history.back(); // to where it was opened from
    else this.#write({}, { replace: true });
    this.opened = false;
  }

  // another gallery does not know an image of this one: it is asked with the picture
  async detach() {
    const { picture } = this;
    if (!picture?.imageId) return;
    const response = await fetch(picture.source).catch(() => null);
    if (!response?.ok) { this.picture = null; return; }
    this.picture = picture.with({ file: new File([await response.blob()], picture.name || "picture.jpg", { type: "image/jpeg" }), imageId: null });
  }
}
