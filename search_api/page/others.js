// Pictures that are asked with together with the first: how much matches are to be like each, or unlike it.
import { $, button, make, say } from "./element.js";
import { Picture, pictureIn } from "./picture.js";
import { count } from "./words.js";

const WEIGHTS = { 2: "Much more like it", 1: "More like it", 0.5: "A little like it", "-0.5": "A little less like it", "-1": "Less like it" };

export class Others {
  // `changed` is told the others, as {picture, weight}, when a person has changed them
  constructor(changed) {
    Object.assign(this, { changed, query: null });
    $("add-one").addEventListener("change", () => this.#add());
  }

  show(query) {
    this.query = query;
    $("add-one").closest("label").hidden = !query;
    $("together").hidden = !query?.isSeveral;
    if (!query) return;
    say($("together-told"), query.isSeveral ? `Together with ${count(query.others.length, "other picture")}` : "");
    $("others").replaceChildren(...query.others.map((each, place) => this.#shown(each, place)));
  }

  #shown({ picture, weight }, place) {
    const name = picture.name || `picture ${place + 2}`;
    const known = String(weight) in WEIGHTS ? WEIGHTS : { ...WEIGHTS, [weight]: `Weight ${weight}` };
    const options = Object.keys(known).sort((a, b) => b - a).map((each) => new Option(known[each], each, false, Number(each) === weight));
    const choice = make("select", { "aria-label": `How much like ${name}`, onchange: (event) => this.#weigh(place, Number(event.target.value)) }, ...options);
    return make("li", { className: weight < 0 ? "unlike" : "" }, make("img", { src: picture.source, alt: "", title: name }), choice,
      button("✕", () => this.#leave(place), { "aria-label": `Ask without ${name}` }));
  }

  #weigh(place, weight) {
    this.changed(this.query.others.map((each, at) => (at === place ? { ...each, weight } : each)));
    $("others").children[place]?.querySelector("select").focus();
  }

  #leave(place) {
    this.changed(this.query.others.filter((_, at) => at !== place));
    ($("others").children[Math.min(place, $("others").children.length - 1)]?.querySelector("button") ?? $("add-one")).focus();
  }

  #add() {
    const found = [...$("add-one").files].filter((each) => pictureIn([each])).map((file) => ({ picture: Picture.ofFile(file), weight: 1 }));
    $("add-one").value = "";
    if (found.length) this.changed([...this.query.others, ...found]);
  }
}
