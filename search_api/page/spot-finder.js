// A spot of one picture that a person points at, taps, or chooses with the arrow keys, and its answer.
import { say } from "./element.js";
import { Spots, fit, outline } from "./spots.js";
import { placeOf } from "./words.js";

const HINT = "Point at a spot of either picture, tap it, or choose it with the arrow keys, and see which spot of the other answers it.";
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class SpotFinder {
  // `frames` lie over the pictures, each with a canvas; `heard` tells the answer in words;
  // `isWhole()` says whether all of the other picture is painted, or its best spot only outlined
  constructor(frames, names, { heard, isWhole, found }) {
    Object.assign(this, { frames, names, heard, isWhole, found, spots: null, chosen: null });
    for (const [side, frame] of Object.entries(frames)) {
      frame.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") this.#point(side, event); });
      frame.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse" && !this.frozen) this.clear(); });
      frame.addEventListener("click", (event) => this.#tap(side, event));
      frame.addEventListener("keydown", (event) => this.#key(side, event));
      frame.addEventListener("blur", () => this.clear());
    }
  }

  take(contributions, cosine = 0) {
    this.spots = contributions ? new Spots(contributions, cosine) : null;
    for (const [side, frame] of Object.entries(this.frames)) {
      const label = `Spots of ${this.names[side].toLowerCase()}: the arrow keys choose one, and its answer on the other picture is told.`;
      if (this.spots) Object.assign(frame, { tabIndex: 0 }).setAttribute("aria-label", label);
      for (const name of this.spots ? [] : ["tabindex", "aria-label", "role"]) frame.removeAttribute(name);
      if (this.spots) frame.setAttribute("role", "application");
    }
    this.clear();
  }

  clear() {
    Object.assign(this, { chosen: null, frozen: false });
    this.redraw();
  }

  get isBusy() { return Object.values(this.frames).some((each) => each.querySelector(".drawing")); }

  #point(side, event) {
    if (!this.spots || this.frozen || this.isBusy) return;
    this.#choose(side, this.#cellAt(side, event), { aloud: false });
  }

  #tap(side, event) { // the spot stays until another is tapped, or the same again
    if (!this.spots || this.isBusy || event.target.closest(".region")) return;
    const cell = this.#cellAt(side, event);
    const isAgain = this.frozen && this.chosen?.side === side && this.chosen.cell === cell;
    if (isAgain || cell === null) return this.clear();
    this.#choose(side, cell, { aloud: true });
    this.frozen = true;
  }

  #key(side, event) {
    if (!this.spots || event.target !== this.frames[side] || this.isBusy) return;
    if (event.key === "Escape" && this.chosen) {
      this.clear();
      event.preventDefault(); // the first one lets go of the spot, the second closes the dialog
      return event.stopPropagation();
    }
    if (!STEPS[event.key]) return;
    event.preventDefault();
    const { rows, columns } = this.spots.grids[side];
    const middle = Math.floor(rows / 2) * columns + Math.floor(columns / 2);
    const cell = this.chosen?.side === side ? this.spots.step(side, this.chosen.cell, STEPS[event.key]) : middle;
    this.#choose(side, cell, { aloud: true });
    this.frozen = true;
  }

  #cellAt(side, event) {
    const { left, top, width, height } = this.frames[side].getBoundingClientRect();
    const cell = this.spots.at(side, [(event.clientX - left) / width, (event.clientY - top) / height]);
    return cell !== null && this.spots.isSeen(side, cell) ? cell : null;
  }

  #choose(side, cell, { aloud }) {
    if (this.chosen?.side === side && this.chosen?.cell === cell) return;
    this.chosen = cell === null ? null : { side, cell, answer: this.spots.answer(side, cell) };
    this.heard.setAttribute("aria-live", aloud ? "polite" : "off"); // a moving pointer would never be silent
    this.redraw();
  }

  redraw() {
    const { chosen, spots } = this;
    for (const frame of Object.values(this.frames)) fit(frame.querySelector("canvas"));
    this.found(Boolean(chosen));
    if (!chosen || !spots) return say(this.heard, spots ? HINT : "");
    const { side, cell, answer } = chosen;
    const [own, other] = [this.#canvas(side), this.#canvas(answer.side)];
    if (this.isWhole()) spots.paint(other, answer.side, answer.alike);
    outline(own, spots.box(side, cell));
    if (answer.cell !== null) outline(other, spots.box(answer.side, answer.cell));
    say(this.heard, this.#inWords(chosen));
  }

  #canvas(side) { return this.frames[side].querySelector("canvas"); }

  #inWords({ side, cell, answer }) {
    const { spots } = this;
    const here = `${this.names[side]}, ${whereIn(spots, side, cell)}`;
    if (answer.cell === null || answer.cosine <= 0) return `${here}: no spot of the other picture is like it.`;
    const there = `${this.names[answer.side].toLowerCase()}, ${whereIn(spots, answer.side, answer.cell)}`;
    const adds = answer.times === null ? "" : `; together they add ${answer.times.toFixed(1)} times what any two spots do on average`;
    return `${here}: answered by ${there} (alike ${answer.cosine.toFixed(2)}${adds}).`;
  }
}

function whereIn(spots, side, cell) {
  const { columns } = spots.grids[side];
  return `${placeOf(spots.box(side, cell))} (row ${Math.floor(cell / columns) + 1}, column ${(cell % columns) + 1})`;
}
