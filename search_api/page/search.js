// Searching: a picture and wishes become matches, each of which may be opened.
import { $, button } from "./element.js";
import * as address from "./address.js";
import { AskPanel } from "./asking.js";
import { Filters } from "./filters.js";
import { forget, keptPictures } from "./kept.js";
import { LeftPictures } from "./left.js";
import { MatchDialog } from "./match.js";
import { Others } from "./others.js";
import { Picture } from "./picture.js";
import { Query } from "./query.js";
import { Results } from "./results.js";
import { Problem, imageAddress, inGallery, post, ask as request } from "./service.js";
import { Sharing } from "./sharing.js";
import { problemState, state } from "./states.js";
import { nameOf } from "./words.js";

const TRIED = 8; // images to begin with where nothing was asked yet

export class SearchView {
  constructor(place) { // `place()` is the gallery that is looked into, and its build
    Object.assign(this, { place, query: null, latest: null, arriving: null, asked: null, opened: false, early: null, names: new Map() });
    this.panel = new AskPanel((picture) => this.ask(this.#with(picture)));
    this.panel.takes = () => !$("search").hidden;
    this.panel.refused = (name) => this.results.blank(problemState(new Problem({ title: "That is no picture", detail: `“${name}” is not an image file: choose, drop or paste a picture.` })));
    this.others = new Others((others) => this.ask(this.query.with(others)));
    this.sharing = new Sharing({ keep: (seconds) => this.#keep(seconds), forget: () => this.#forget() });
    this.left = new LeftPictures();
    this.filters = new Filters($("filters"), () => this.ask(this.query));
    this.results = new Results({
      place, open: (match) => this.#goTo({ match: match.image_id }, { opened: true }), similar: (image) => this.#similar(image),
      includeJudged: () => { $("include_judged").checked = true; this.ask(this.query); },
      weightOf: (match) => this.query?.weightOf(match.image_id), weigh: (match, weight) => this.#weigh(match, weight),
    });
    this.dialog = new MatchDialog({
      closed: () => this.#closed(), similar: (match) => this.#similar(match), step: (by) => this.#step(by),
      masked: (boxes) => this.ask(this.query.of(this.query.picture.with({ masked: boxes })), { open: this.dialog.match.image_id }),
      weightOf: (match) => this.query?.weightOf(match.image_id), weigh: (match, weight) => { this.dialog.close(); return this.#weigh(match, weight); },
      judged: (imageId, judgement) => this.results.judged(imageId, judgement),
    });
    $("more").addEventListener("click", () => this.#more());
  }

  learn(detail) {
    this.filters.learn(detail);
    this.results.learn(detail);
  }

  // what a person asks: it goes into the address, and the matches follow
  ask(query, { open = null } = {}) {
    if (!this.place()) { // no gallery is known yet: it is asked once there is one
      this.early = query;
      return this.panel.show(query?.picture ?? null);
    }
    this.left.leave(this.query, query);
    Object.assign(this, { query, arriving: null });
    this.filters.judge({ several: Boolean(query?.isSeveral) });
    this.#write({ match: open }, { replace: Boolean(open) });
    this.#show();
    return this.#search(open);
  }

  #with(picture) { // a part of the same picture leaves the others; another picture is a question of its own
    if (!picture) return null;
    return picture.source === this.query?.picture.source ? this.query.of(picture) : new Query(picture);
  }

  #show() {
    this.panel.show(this.query?.picture ?? null);
    this.others.show(this.query);
    this.sharing.show(this.query);
    this.left.show(this.query);
  }

  // what an address asks
  async show(told) {
    const [{ early }, mine, ids] = [this, (this.arriving = {}), Query.idsIn(told)];
    this.early = null;
    if (early) return this.ask(early);
    if (ids.length && !this.results.answer) this.results.wait(this.filters.k);
    try {
      const shown = await keptPictures(ids);
      if (mine === this.arriving) return this.#arrive(told, shown);
    } catch (problem) {
      if (mine === this.arriving) this.#fail(problem, () => this.show(told), { query: null, latest: {} });
    }
  }

  #arrive(told, shown) {
    this.filters.set(told);
    this.query = Query.told(told, { place: this.place(), names: this.names, shown });
    this.filters.judge({ several: Boolean(this.query?.isSeveral) });
    this.#show();
    if (told.lost) return this.results.blank(state("empty", "The picture is not here any more", "A picture of yours is kept by nobody, so this page has forgotten it: choose it again."));
    const same = this.asked && this.asked === this.#question() && this.results.answer;
    return same ? this.#open(told.match) : this.#search(told.match ?? null);
  }

  get params() { // as an address tells them
    return { gallery: this.place().gallery, ...this.query?.params, ...this.filters.told };
  }

  #question() { return JSON.stringify([this.params, (this.query?.others ?? []).map(({ weight }) => weight), (this.query?.pictures ?? []).map((each) => each.source)]); }

  #write(more = {}, options = {}) { address.write({ ...this.params, ...more }, { query: this.query, ...options }); }

  async #search(open = null) {
    const mine = (this.latest = {});
    if (!this.query) { this.dialog.close(); this.asked = null; return this.#begin(mine); }
    const question = this.#question();
    this.results.wait(this.filters.k);
    try {
      const answer = await post("/v1/search", this.#form());
      if (mine !== this.latest) return; // something else was asked meanwhile
      this.asked = question;
      this.#learnNames(answer);
      if (answer.matches.length) this.results.show(answer);
      else this.#nothing(answer);
      await this.#open(open);
    } catch (problem) {
      if (mine !== this.latest) return;
      if (problem.kind === "unreadable-image") this.panel.unreadable();
      const isGone = problem.kind === "query-not-found"; // there is nothing left to be shown of it
      this.#fail(problem, () => this.#search(), isGone ? { query: null } : {});
    }
  }

  #fail(problem, again, changed) {
    Object.assign(this, { asked: null, ...changed });
    this.dialog.close();
    if ("query" in changed) this.#show();
    this.results.blank(problemState(problem, again));
  }

  #learnNames(answer) { // of what an address named by its id alone
    for (const { image_id: id, uri } of answer.matches) this.names.set(String(id), nameOf(uri));
    const named = this.query.named(answer);
    if (named === this.query) return;
    this.query = named;
    this.#show();
  }

  #weigh(match, weight) { // a second time takes it back
    const isAgain = this.query.weightOf(match.image_id) === weight;
    return this.ask(this.query.weigh(Picture.ofImage(this.place(), match), isAgain ? 0 : weight)).then(() => this.results.focus(match.image_id));
  }

  async #keep(seconds) { // what nobody sees any more is not kept: the ids of before, or those of a query that is gone
    const { query } = this;
    const kept = query.kept(await post("/v1/search", this.#form({ k: 1, keep: seconds })));
    const isSame = query === this.query;
    const [shown, other] = isSame ? [kept, query] : [query, kept];
    if (isSame) this.#settle(kept);
    await forget(other.queryIds.filter((id) => !shown.queryIds.includes(id)));
    if (!isSame) throw new Problem({ detail: "What is asked with was changed meanwhile, so nothing was kept of it: keep it again." });
  }

  async #forget() {
    const ids = this.query.queryIds;
    await forget(ids);
    if (this.query?.queryIds.every((id) => ids.includes(id))) this.#settle(this.query.forgotten());
  }

  #settle(query) { // the same question under another address, unless what it asked with is gone
    const isAsked = this.asked === this.#question();
    this.query = query;
    this.#write({ match: address.read().match }, { replace: true });
    this.#show();
    if (isAsked && query) this.asked = this.#question();
    else if (!query) this.results.blank(state("empty", "The picture is deleted", "Nobody can ask with it any more. Choose a picture to begin anew."));
  }

  #form(more = {}) {
    const form = this.filters.put(this.query.put(new FormData()));
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
      answer.left_out ? button("Show what was judged wrong", () => { $("include_judged").checked = true; this.ask(this.query); }) : null];
    this.results.blank(state("empty", "Nothing was found", [advice, left], ...actions));
    this.results.answer = answer;
  }

  async #begin(mine) { // nothing is asked yet: some images of the gallery to begin with
    const intro = state("empty", "Find the images that look like yours", ["Choose a picture, drop it anywhere on this page, or paste it. What makes it and each match alike is shown on both pictures.",
      "Your picture is not kept, unless you share the search."]);
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
  async detach() { this.query = (await this.query?.detached()) ?? null; } // for another gallery
  similar(image) { return this.#similar(image); }

  #similar(image) {
    this.dialog.close();
    return this.ask(new Query(Picture.ofImage(this.place(), image).with(image.uri ? {} : { name: "" })));
  }

  #goTo(more, { opened = false } = {}) {
    this.opened = opened;
    this.#write(more);
    return this.#open(more.match);
  }

  #open(imageId) {
    const match = imageId && this.results.answer?.matches.find((each) => String(each.image_id) === String(imageId));
    if (match) return this.dialog.open(match, this.results.answer, this.query);
    if (imageId && this.dialog.isOpen && this.results.answer) return this.dialog.open({ ...this.dialog.match, rank: 0 }, this.results.answer, this.query);
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
}
