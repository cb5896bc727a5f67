// Any two pictures beside each other: files of the person's, or images of the gallery.
import { $, make, say } from "./element.js";
import * as address from "./address.js";
import { Pair } from "./pair.js";
import { Picture, pictureIn } from "./picture.js";
import { post } from "./service.js";
import { problemState } from "./states.js";
import { inWords, nameOf } from "./words.js";

const SLOTS = { a: "Picture A", b: "Picture B" };

export class ComparisonView {
  constructor(place) {
    Object.assign(this, { place, pictures: { a: null, b: null }, latest: null });
    this.pair = new Pair($("compare-pair"), { query: SLOTS.a, matched: SLOTS.b }, { query: "A", matched: "B" });
    for (const slot of Object.keys(SLOTS)) {
      $(`choose-${slot}`).addEventListener("change", (event) => { this.#receive(slot, event.target.files); event.target.value = ""; });
      $(`slot-${slot}`).addEventListener("drop", (event) => { this.#receive(slot, event.dataTransfer.files); $(`slot-${slot}`).classList.remove("over"); });
      for (const kind of ["dragover", "dragleave"]) $(`slot-${slot}`).addEventListener(kind, () => $(`slot-${slot}`).classList.toggle("over", kind === "dragover"));
    }
    addEventListener("paste", (event) => { if (!$("compare").hidden && event.clipboardData.files.length) this.#receive(this.pictures.a ? "b" : "a", event.clipboardData.files); });
    $("swap").addEventListener("click", () => this.#set({ a: this.pictures.b, b: this.pictures.a }));
  }

  show(told) {
    const kept = (slot) => (told[slot] ? new Picture({ ...this.place(), imageId: told[slot], name: `image ${told[slot]}` }) : this.pictures[slot]?.file ? this.pictures[slot] : null);
    this.pictures = { a: kept("a"), b: kept("b") };
    this.#show();
  }

  #receive(slot, files) {
    const file = pictureIn(files);
    if (file) this.#set({ [slot]: Picture.ofFile(file) });
    else say($("compare-status"), "That is no picture: choose an image file.", { problem: true });
  }

  #set(changed) {
    Object.assign(this.pictures, changed);
    const { a, b } = this.pictures;
    address.write({ view: "compare", gallery: this.place().gallery, a: a?.imageId, b: b?.imageId });
    this.#show();
  }

  #show() {
    for (const [slot, name] of Object.entries(SLOTS)) {
      const picture = this.pictures[slot];
      const shown = picture ? make("img", { src: picture.source, alt: `${name}: ${picture.name}` }) : make("span", { className: "quiet" }, name);
      $(`shown-${slot}`).replaceChildren(shown);
    }
    $("swap").hidden = !(this.pictures.a && this.pictures.b);
    this.#compare();
  }

  async #compare() {
    const mine = (this.latest = {});
    const { a, b } = this.pictures;
    $("compare-state").replaceChildren();
    $("compare-result").hidden = !(a && b);
    if (!(a && b)) return say($("compare-status"), a || b ? "Now the other picture." : "Choose two pictures: what makes them alike, and what does not, appears on both.");
    say($("compare-status"), "Comparing …");
    this.pair.open({ query: a.source, matched: b.source }, { query: `A: ${a.name}`, matched: `B: ${b.name}` });
    const form = b.put(a.put(new FormData(), { field: "a", id: "a_image_id" }), { field: "b", id: "b_image_id", part: false });
    form.set("gallery", this.place().gallery);
    for (const extra of ["overlays", "correspondences", "contributions"]) form.set(extra, "true");
    try {
      const compared = await post("/v1/compare", form);
      if (mine !== this.latest) return;
      say($("compare-status"), `${inWords(compared)}: A, ${nameOf(compared.query.uri)}, and B, ${nameOf(compared.matched.uri)}.`);
      this.pair.tell(compared);
    } catch (problem) {
      if (mine !== this.latest) return;
      say($("compare-status"), "");
      $("compare-result").hidden = true;
      $("compare-state").replaceChildren(problemState(problem, () => this.#compare()));
    }
  }
}
