// Two pictures side by side: what makes them alike and what speaks against it, and which spot answers which.
import { balance } from "./balance.js";
import { make, say } from "./element.js";
import { drawLinks } from "./links.js";
import { SpotFinder } from "./spot-finder.js";
import { called, inNumbers, inPercent, inWords } from "./words.js";

const HEAT_WORDS = { factual: "Orange: how much a spot supports", counterfactual: "Blue: how much a spot speaks against" };
const CAUTION = "The line runs where heat passes half its greatest. Hatched grey: not looked at. Heat says what the number was computed from, not what is true.";
const GREENER = "The greener a spot of the other picture, the more alike it is to the one that is chosen. Escape, or choosing it again, brings the lines back.";
const SIDES = ["query", "matched"];
const VIEWS = { // what is shown, in full and for a phone
  alike: ["What makes them alike", "Alike"], against: ["What speaks against it", "Against"],
  apart: ["What sets them apart", "Apart"], shared: ["What they share", "Shared"],
  spots: ["Which spot answers which", "Spots"], picture: ["The pictures", "Pictures"],
};
const SAID = "near-uniform"; // of what there is to doubt, what the sentence itself says
let made = 0; // pairs of this page: each has radio buttons of its own

export class Pair {
  // builds itself in `root` from the template; `names` says what the two pictures are called, `shorts` what
  // a sentence on the query and its match calls them, where they are something else
  constructor(root, names, shorts = null) {
    root.append(document.getElementById("pair-template").content.cloneNode(true));
    Object.assign(this, { root, names, shorts, pictures: null, compared: null });
    this.#name("alike", "against");
    this.radios = [...root.querySelectorAll("input[type=radio]")];
    for (const each of this.radios) Object.assign(each, { name: `view-${made}` }).addEventListener("change", () => this.#show());
    made += 1;
    this.strength = this.#part("strength");
    this.strength.addEventListener("input", () => this.#fade());
    this.finder = new SpotFinder(Object.fromEntries(SIDES.map((side) => [side, this.#frame(side)])), names, {
      heard: this.#part("answer"),
      isWhole: () => this.view === "spots",
      found: (any) => { root.classList.toggle("answering", any); this.#legend(); },
    });
    for (const each of root.querySelectorAll(".frame img")) each.addEventListener("load", () => this.#shape(each));
    new ResizeObserver(() => this.#redraw()).observe(this.#part("pictures"));
  }

  get view() { return this.radios.find((each) => each.checked).value; }

  #part(name) { return this.root.querySelector(`.${name}`); }
  #frame(side) { return this.root.querySelector(`.${side} .frame`); }
  #image(side) { return this.root.querySelector(`.${side} .base`); }

  // `pictures` are the addresses of both; what is said of them comes with `tell`
  open(pictures, captions) {
    Object.assign(this, { pictures, compared: null });
    this.finder.take(null);
    for (const side of SIDES) {
      this.#image(side).hidden = false;
      this.#image(side).onerror = () => { this.#image(side).hidden = true; }; // no browser shows every kind
      this.#image(side).src = pictures[side];
      this.#image(side).alt = this.names[side];
      say(this.root.querySelector(`.${side} figcaption`), captions[side]);
    }
    this.root.classList.add("waiting");
    this.#part("links").replaceChildren();
    say(this.#part("painting"), "Painting the evidence …");
    for (const name of ["reason", "numbers", "legend", "answer", "lies"]) say(this.#part(name), "");
    this.#part("warnings").replaceChildren();
  }

  #name(factual, counterfactual) {
    for (const [part, of] of Object.entries({ factual, counterfactual, spots: "spots", picture: "picture" })) {
      this.#part(`${part}-name`).replaceChildren(...VIEWS[of].map((text, at) => make("span", { className: at ? "narrow" : "wide" }, text)));
    }
  }

  swap(side, address) {
    this.#image(side).hidden = false;
    this.#image(side).src = this.pictures[side] = address;
  }

  #shape(image) { // the frame is as wide and high as the picture, so that shares of both are the same
    image.closest(".frame").style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
    this.#redraw();
  }

  // the answer of /v1/compare, with overlays, correspondences and contributions
  tell(compared) {
    this.compared = compared;
    const apart = compared.verdict === "different";
    if (apart) this.#name("apart", "shared");
    else this.#name("alike", "against");
    say(this.#part("lies"), compared.image_id ? `The matched image lies at ${compared.uri}` : "");
    const { overlays, contributions, cosine } = compared;
    const small = overlays?.matched.drawn_on === "thumbnail" ? "The original is gone or has changed: drawn on the thumbnail kept of it." : "";
    const missing = overlays ? "" : "The picture of this match is gone, so nothing can be painted over it.";
    const notes = new Set([small, missing, compared.evidence.query.note, compared.evidence.matched.note].filter(Boolean));
    say(this.#part("painting"), [...notes].join(" "));
    this.finder.take(contributions ?? null, cosine);
    this.root.classList.remove("waiting");
    this.#show();
  }

  fail(problem) {
    this.root.classList.remove("waiting");
    say(this.#part("painting"), [problem.message, problem.advice].filter(Boolean).join(" "), { problem: true });
  }

  #reason() { // and its doubts are of the orange; under the blue stands what the blue comes to
    const { view, compared } = this;
    if (!compared) return;
    const told = (words) => (this.shorts ? called(words, this.shorts) : words);
    const { text, warnings } = view === "counterfactual" ? { text: balance(compared, "blue"), warnings: [] } : compared.reason;
    say(this.#part("reason"), told(text));
    this.#part("warnings").replaceChildren(...warnings.filter(({ code }) => code !== SAID).map((each) => make("li", {}, told(each.text))));
    say(this.#part("numbers"), [inAllNumbers(compared), view === "factual" ? balance(compared, "orange") : ""].filter(Boolean).join(" "));
  }

  #show() {
    const { view, compared } = this;
    for (const side of SIDES) {
      const painted = compared?.overlays?.[side][view] ?? "";
      const heat = this.root.querySelector(`.${side} .heat`);
      heat.hidden = !painted;
      if (painted) Object.assign(heat, { src: painted, alt: `${this.names[side]}, heat painted over it` });
      this.#frame(side).classList.toggle("unshown", this.#image(side).hidden && !painted);
    }
    this.strength.closest("label").hidden = !HEAT_WORDS[view];
    this.#reason();
    this.finder.clear();
    this.#fade();
    this.#redraw();
    this.#legend();
  }

  #fade() {
    const share = this.strength.value / 100;
    for (const side of SIDES) this.root.querySelector(`.${side} .heat`).style.opacity = share;
    this.strength.setAttribute("aria-valuetext", inPercent(share));
  }

  #legend() {
    const { view, compared } = this;
    if (!compared) return say(this.#part("legend"), ""); // nothing is painted yet
    const told = compared.verdict ? ` “${inWords(compared)}”` : likeness(compared.evidence);
    if (view === "counterfactual" && SIDES.every((side) => isBlank(compared.evidence[side][view]))) {
      say(this.#part("legend"), nothingAgainst(compared));
    } else if (view === "spots") say(this.#part("legend"), this.finder?.chosen ? GREENER : linesInWords(compared));
    else say(this.#part("legend"), HEAT_WORDS[view] ? `${HEAT_WORDS[view]}${told}. ${CAUTION}` : "");
  }

  #redraw() {
    const links = this.view === "spots" && this.compared ? strongest(this.compared) : [];
    drawLinks(this.#part("links"), SIDES.map((side) => this.#image(side)), links);
    this.finder.redraw();
  }
}

function inAllNumbers(compared) {
  const where = compared.threshold === null ? "a probability of 50\u00a0%" : `a distance of ${compared.threshold.toFixed(2)}`;
  const turn = compared.verdict ? `; the verdict turns at ${where}` : "";
  return `In numbers: ${inNumbers(compared)}, similarity\u00a0${compared.similarity.toFixed(2)}${turn}. Distance 0 is identical.`;
}

const isBlank = (grid) => grid.flat().every((value) => value === 0);

// Without a verdict the maps are read as same, from what is usual in the gallery or from nothing.
const likeness = ({ explained }) => explained.baseline_from === "gallery" ? " more likeness than two pictures of this gallery usually have" : " likeness";

function nothingAgainst({ verdict, evidence: { explained } }) {
  if (verdict || explained.baseline_from !== "none") return "Nothing speaks against it: no spot lowers the number.";
  return "Nothing speaks against it here. What an alike pair must reach is learned from labels (whyalike train), and this gallery's encoder learned from none: so every spot that the two share at all counts for likeness.";
}

function strongest({ correspondences = [] }) { // what adds less than any two spots do on average is no answer
  return correspondences.filter(({ times_average: times }) => times === null || times >= 1);
}

function linesInWords(compared) {
  if (!compared.contributions) return "Nobody knows the spots of these pictures any more.";
  const [first] = strongest(compared);
  if (!first) return `No two spots that are each other's most alike add more to the cosine than any two do on average.`;
  const lines = "A line joins two spots that are each other's most alike; the thicker, the more they add to the cosine.";
  return first.times_average === null ? lines : `${lines} Line 1 adds ${first.times_average.toFixed(1)} times what any two spots do on average.`;
}
