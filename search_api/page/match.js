// One match, opened beside the query: why it was found, and whether a person agrees.
import { $, later, make, say } from "./element.js";
import { Judging } from "./judging.js";
import { Pair } from "./pair.js";
import { cropped } from "./picture.js";
import { Regions } from "./regions.js";
import { imageAddress, post } from "./service.js";
import { liking } from "./results.js";
import { inWords, nameOf } from "./words.js";

const WHOLE = [0, 0, 1, 1];
const NAMES = { query: "The picture asked with", matched: "The matched image" };

export class MatchDialog {
  // `closed`, `similar(match)`, `masked(boxes)`: the query is asked with again; `judged(imageId, judgement)`
  constructor(actions) {
    Object.assign(this, { actions, match: null, latest: null, beside: 0 });
    $("beside").addEventListener("change", () => { this.beside = Number($("beside").value); this.open(this.match, this.answer, this.query); });
    this.pair = new Pair($("why-pair"), NAMES);
    this.judging = new Judging($("judging"), (judgement) => actions.judged(this.match.image_id, judgement));
    const layer = make("div", { className: "regions" });
    $("why-pair").querySelector(".query .frame").append(layer);
    this.regions = new Regions(layer, later(350, ({ masked }) => this.actions.masked(masked.map((box) => this.#outward(box)))));
    $("mask-here").addEventListener("click", () => this.#draw(!this.regions.mode));
    $("unmask").addEventListener("click", () => actions.masked([]));
    $("similar").addEventListener("click", () => actions.similar(this.match));
    $("why").addEventListener("close", () => actions.closed());
    for (const [id, by] of [["before", -1], ["after", 1]]) $(id).addEventListener("click", () => actions.step(by));
    $("why").addEventListener("keydown", (event) => this.#key(event));
  }

  get isOpen() { return $("why").open; }

  close() { if (this.isOpen) $("why").close(); }

  // `answer` holds the match and says what judged it; of several pictures that were asked with one is shown
  async open(match, answer, query) {
    const picture = query.pictures[this.beside] ?? query.pictures[this.beside = 0];
    Object.assign(this, { match, answer, query, picture });
    const mine = (this.latest = {});
    const place = answer.matches.indexOf(match);
    say($("verdict"), query.isSeveral ? `${inWords(match)}, to all ${query.pictures.length} pictures` : inWords(match));
    $("verdict").className = match.verdict ?? "";
    this.#tellSeveral();
    $("before").disabled = place < 1;
    $("after").disabled = place < 0 || place === answer.matches.length - 1;
    const part = picture.crop ? ", a part" : "";
    const isUnlike = this.beside > 0 && query.others[this.beside - 1].weight < 0;
    const captions = { query: `${isUnlike ? "Asked for what is unlike" : "Asked with"}: ${picture.name || nameOf((answer.queries ?? [answer.query])[this.beside]?.uri)}${part}`,
      matched: `${match.rank ? `Match ${match.rank}: ` : ""}${nameOf(match.uri)}${match.label ? ` (${match.label})` : ""}` };
    this.pair.open({ query: picture.crop ? "data:," : picture.source, matched: imageAddress(answer, match.image_id, "picture") }, captions);
    $("why-pair").querySelector(".matched figcaption").title = match.uri ?? "";
    this.regions.show({ masked: picture.masked.map((box) => this.#inward(box)).filter(Boolean) });
    $("unmask").hidden = !picture.masked.length;
    $("mask-here").hidden = this.beside > 0;
    $("judging").hidden = query.isSeveral; // a judgement is on a pair of two
    $("liking").replaceChildren(...liking(match, this.actions).map((each) => Object.assign(each, { textContent: each.title, ariaLabel: null })));
    this.judging.about(answer, match);
    if (!this.isOpen) $("why").showModal();
    if (picture.crop) cropped(picture.source, picture.crop).then((shown) => { if (mine === this.latest) this.pair.swap("query", shown); }, () => {});
    const compared = await this.#compare(answer, match, picture).catch((problem) => {
      if (mine === this.latest) this.pair.fail(problem);
    });
    if (!compared || mine !== this.latest) return;
    this.pair.tell(compared);
    if (query.isSeveral) return; // the headline is of all of them
    say($("verdict"), inWords(compared)); // of the query as it is masked now
    $("verdict").className = compared.verdict ?? "";
  }

  #tellSeveral() { // which of the pictures is beside the match, and what each adds
    const { query, match } = this;
    $("beside").closest("label").hidden = !query.isSeveral;
    const added = match.evidence.queries ?? [];
    $("beside").replaceChildren(...query.pictures.map(({ name }, place) => new Option(`${name || `picture ${place + 1}`}${added[place] ? `: adds ${added[place].added.toFixed(2)} of ${match.cosine.toFixed(2)}` : ""}`, place, false, place === this.beside)));
  }

  #compare(answer, match, picture) {
    const form = picture.put(new FormData(), { field: "a", id: "a_image_id" });
    const told = { b_image_id: match.image_id, gallery: answer.gallery, scorer: answer.scorer, calibration: "shown" }; // as the search judged
    for (const [name, value] of Object.entries(told)) form.set(name, value);
    for (const extra of ["overlays", "correspondences", "contributions"]) form.set(extra, "true");
    return post("/v1/compare", form);
  }

  #draw(on) {
    this.regions.draws(on ? "masked" : null);
    $("mask-here").setAttribute("aria-pressed", on);
    if (on) this.regions.frame.focus({ preventScroll: true });
  }

  #key(event) {
    if (event.target.closest(".frame, input") || event.altKey || event.ctrlKey || event.metaKey) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) this.actions.step(by);
  }

  // the query is shown as its crop, and what is ignored is told of the whole picture
  #outward(box) {
    const [left, top, right, bottom] = this.picture.crop ?? WHOLE;
    const [across, down] = [right - left, bottom - top];
    return [left + box[0] * across, top + box[1] * down, left + box[2] * across, top + box[3] * down].map((edge) => Math.round(edge * 10_000) / 10_000);
  }

  #inward(box) {
    const [left, top, right, bottom] = this.picture.crop ?? WHOLE;
    const [across, down] = [right - left, bottom - top];
    const found = [(box[0] - left) / across, (box[1] - top) / down, (box[2] - left) / across, (box[3] - top) / down].map((edge) => Math.min(1, Math.max(0, edge)));
    return found[2] > found[0] && found[3] > found[1] ? found : null;
  }
}
