// What a search found: a card for each match, and what to say where there is none.
import { $, button, make, say } from "./element.js";
import { heatOf } from "./heat.js";
import { imageAddress } from "./service.js";
import { state, waiting } from "./states.js";
import { count, duration, inNumbers, inPercent, inWords, nameOf } from "./words.js";

export class Results {
  // what a person does: open a match, find what is similar to an image, see more, see what was judged wrong
  constructor(actions) {
    Object.assign(this, { actions, answer: null, fit: "crop" });
    $("heat").addEventListener("change", () => $("matches").classList.toggle("plain", !$("heat").checked));
  }

  learn({ fit }) { this.fit = fit; } // what the gallery's encoder sees of a picture

  wait(k) {
    if (this.answer?.matches.length) $("matches").inert = true; // the old ones stay to be seen
    else $("matches").replaceChildren(...waiting(k));
    for (const id of ["state", "doubt"]) $(id).replaceChildren();
    $("more").hidden = true;
    $("heat").closest("label").hidden = true;
    say($("status"), "Searching …");
  }

  show(answer) {
    this.answer = answer;
    this.#end();
    $("matches").replaceChildren(...answer.matches.map((match) => this.#card(match)));
    this.#tell(answer);
  }

  add(answer) { // the next page
    const first = $("matches").children.length;
    this.answer = { ...answer, matches: [...this.answer.matches, ...answer.matches] };
    $("matches").append(...answer.matches.map((match) => this.#card(match)));
    this.#tell(this.answer);
    $("matches").children[first]?.querySelector("button")?.focus();
  }

  blank(...states) {
    this.answer = null;
    this.#end();
    $("matches").replaceChildren();
    $("judged").replaceChildren();
    say($("status"), "");
    $("state").replaceChildren(...states);
  }

  focus(imageId) { // where a person was before the matches came anew
    const card = $("matches").querySelector(`[data-image="${imageId}"]`) ?? $("matches").firstElementChild;
    (card?.querySelector(".liking") ?? card?.querySelector("button"))?.focus();
  }

  judged(imageId, judgement) { // the card says at once what a person said of it
    const card = $("matches").querySelector(`[data-image="${imageId}"]`);
    card?.classList.toggle("wrong", judgement?.says === "wrong");
    const badge = card?.querySelector(".badge");
    if (badge) say(badge, judgement ? `Judged ${judgement.says}` : "");
  }

  #picture(match) {
    const picture = make("img", { src: imageAddress(this.actions.place(), match.image_id), alt: "", loading: "lazy" });
    return make("span", { className: "picture" }, picture, heatOf(match, this.fit, picture));
  }

  #end() {
    $("matches").inert = false;
    for (const id of ["state", "doubt"]) $(id).replaceChildren();
    $("more").hidden = true;
    $("heat").closest("label").hidden = true;
  }

  #tell({ matches, prefilter, timings, next_cursor: next, left_out: leftOut, exhaustive, total }) {
    $("more").hidden = !next;
    const only = prefilter ? ` of “${prefilter.label}” (${inPercent(prefilter.probability)})` : "";
    const of = total && total > matches.length ? ` of ${total.toLocaleString("en")}` : "";
    const how = exhaustive ? "" : ", by an approximate index";
    $("heat").closest("label").hidden = !matches.length;
    if (matches.length) say($("status"), `${matches.length} nearest${of}${only}, in ${duration(timings.total)}${how}.`);
    const far = matches.flatMap(({ reason }) => reason.warnings).find(({ code }) => code === "far");
    $("doubt").replaceChildren(...(far ? [state("doubtful", "Is it here at all?", far.text)] : []));
    const judged = leftOut ? [make("span", {}, `${count(leftOut, "match", "matches")} judged wrong ${leftOut === 1 ? "is" : "are"} left out. `),
      button("Show them", () => this.actions.includeJudged())] : [];
    $("judged").replaceChildren(...judged);
  }

  #card(match) {
    const { reason, group, places = [], judgement } = match;
    const words = make("span", { className: `words ${match.verdict ?? ""}`, id: `words-${match.image_id}` }, inWords(match));
    const told = [
      match.label,
      group ? `${count(group.images, "image")} ${group.by === "label" ? "of this label" : `with ${group.by} ${group.name}`}` : null,
      match.copies > 1 ? `${count(match.copies, "copy", "copies")} of this picture` : null,
    ].filter(Boolean);
    const open = make("button", { type: "button", className: "open", onclick: () => this.actions.open(match) },
      this.#picture(match),
      words, bar(match.probability),
      make("span", { className: "numbers" }, inNumbers(match)),
      ...told.map((each) => make("span", { className: "told" }, each)),
      make("span", { className: "name", title: match.uri ?? "" }, nameOf(match.uri)),
      make("span", { className: "reason" }, match.verdict || match.closeness ? reason.short : reason.text));
    open.setAttribute("aria-haspopup", "dialog");
    const similar = button("Find similar", () => this.actions.similar(match), { "aria-label": `Find similar to match ${match.rank}` });
    const card = make("li", { className: `card${judgement?.says === "wrong" ? " wrong" : ""}` }, open, this.#members(group?.members ?? places),
      make("div", { className: "actions" }, similar, ...liking(match, this.actions), make("span", { className: "badge" }, judgement ? `Judged ${judgement.says}` : "")));
    card.dataset.image = match.image_id;
    return card;
  }

  #members(images) { // the next of the group, or the other places of the content
    if (!images.length) return null;
    const shown = images.filter(({ image_id: id }) => id).map((each) => make("button", {
      type: "button", title: each.label ?? nameOf(each.uri), "aria-label": `Find images similar to ${nameOf(each.uri)}`, onclick: () => this.actions.similar(each),
    }, make("img", { src: imageAddress(this.actions.place(), each.image_id), alt: "", loading: "lazy" })));
    return make("div", { className: "members" }, ...shown);
  }
}

// buttons that ask with this image, too: matches are to be more like it, or less
export function liking(match, { weightOf, weigh }) {
  const weight = weightOf(match);
  if (weight === null || weight === undefined) return [];
  const one = (sign, text, way) => button(sign, () => weigh(match, way), { className: "liking", title: `${text} this`,
    "aria-label": `${text} ${match.rank ? `match ${match.rank}` : "this match"}`, "aria-pressed": String(weight !== 0 && weight > 0 === way > 0) });
  return [one("+", "More like", 1), one("−", "Less like", -1)];
}

function bar(probability) { // a look is enough to compare; the number stands below
  if (probability === null) return null;
  const filled = make("span", {});
  filled.style.width = `${100 * probability}%`;
  return make("span", { className: "bar", "aria-hidden": "true" }, filled);
}
