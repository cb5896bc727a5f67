// Rectangles over a picture, drawn by pointer or keyboard: a crop, and parts that are to be ignored.
import { make } from "./element.js";
import { shares } from "./words.js";

const STEP = 0.02; // of a side, for each press of an arrow key
const LEAST = 0.03; // of a side: less is a slip of the hand
const MIDDLE = [0.25, 0.25, 0.75, 0.75]; // where the keyboard begins
const WORDS = { crop: "Crop", masked: "Ignored part" };
const HELP = "Arrow keys move it, with Shift they change its size, Delete removes it.";
const MOVES = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

const within = (share) => Math.min(1, Math.max(0, share));
const rounded = (box) => box.map((edge) => Math.round(edge * 10_000) / 10_000);

export class Regions {
  // `frame` lies exactly over the picture; `changed` is told ({crop, masked}) when a person has let go
  constructor(frame, changed) {
    Object.assign(this, { frame, changed, crop: null, masked: [], mode: null });
    frame.addEventListener("pointerdown", (event) => this.#begin(event));
    frame.addEventListener("keydown", (event) => this.#key(event));
  }

  show({ crop = null, masked = [] }) {
    if (crop === this.crop && masked === this.masked) return;
    Object.assign(this, { crop, masked });
    this.#draw();
  }

  draws(mode) { // "crop", "masked" or null
    this.mode = mode;
    this.frame.classList.toggle("drawing", Boolean(mode));
    this.frame.tabIndex = mode ? 0 : -1;
    if (mode) this.frame.setAttribute("aria-label", `${WORDS[mode]}: drag over the picture, or press Enter for a rectangle in the middle.`);
    if (mode) this.frame.setAttribute("role", "application");
    else for (const name of ["aria-label", "role", "tabindex"]) this.frame.removeAttribute(name);
  }

  get boxes() { return [...(this.crop ? [["crop", this.crop]] : []), ...this.masked.map((box) => ["masked", box])]; }

  #draw(focused = null) {
    this.frame.replaceChildren(...this.boxes.map(([kind, box], place) => {
      const region = make("div", { className: `region ${kind}`, tabIndex: 0, role: "application", title: `${WORDS[kind]}. ${HELP}` },
        make("span", { className: "corner", "aria-hidden": "true" }));
      region.setAttribute("aria-roledescription", "rectangle");
      region.dataset.place = place;
      lay(region, kind, box);
      return region;
    }));
    if (focused !== null) this.frame.children[focused]?.focus();
  }

  #put(kind, place, box) { // in place of the one there, or a new one
    if (kind === "crop") this.crop = box;
    else this.masked = place === null ? [...this.masked, box] : this.masked.map((each, at) => (at === place ? box : each));
  }

  #tell(focused = null) {
    this.#draw(focused);
    this.changed({ crop: this.crop, masked: this.masked });
  }

  #found(region) {
    const [kind, box] = this.boxes[Number(region.dataset.place)];
    return { kind, box, place: kind === "crop" ? null : Number(region.dataset.place) - (this.crop ? 1 : 0) };
  }

  #key(event) {
    const region = event.target.closest(".region");
    if (!region) {
      if (!this.mode || !["Enter", " "].includes(event.key)) return;
      event.preventDefault();
      this.#put(this.mode, null, MIDDLE);
      return this.#tell(this.mode === "crop" ? 0 : this.boxes.length - 1);
    }
    const { kind, box, place } = this.#found(region);
    const number = Number(region.dataset.place);
    if (["Delete", "Backspace"].includes(event.key)) {
      if (kind === "crop") this.crop = null;
      else this.masked = this.masked.filter((_, at) => at !== place);
      this.#tell();
      this.frame.closest("section, dialog")?.querySelector("[aria-pressed]")?.focus();
    } else if (MOVES[event.key]) {
      this.#put(kind, place, event.shiftKey ? grown(box, MOVES[event.key]) : moved(box, MOVES[event.key]));
      this.#tell(number);
    } else return;
    event.preventDefault();
  }

  #begin(event) {
    const region = event.target.closest(".region");
    if ((!region && !this.mode) || event.button) return;
    event.preventDefault();
    const start = this.#point(event);
    const isCorner = event.target.classList.contains("corner");
    const held = region ? this.#found(region) : { kind: this.mode, place: null, box: null };
    const shown = region ?? this.frame.appendChild(make("div", { className: `region ${held.kind}` }));
    let box = held.box;
    const move = (at) => {
      const [x, y] = this.#point(at);
      const by = [x - start[0], y - start[1]];
      if (!region) box = [Math.min(x, start[0]), Math.min(y, start[1]), Math.max(x, start[0]), Math.max(y, start[1])];
      else box = isCorner ? grown(held.box, by) : moved(held.box, by);
      lay(shown, held.kind, box);
    };
    const end = () => {
      for (const name of ["pointermove", "pointerup", "pointercancel"]) this.frame.removeEventListener(name, listeners[name]);
      if (box === held.box) return region ? region.focus() : shown.remove();
      if (box[2] - box[0] < LEAST || box[3] - box[1] < LEAST) return this.#draw();
      this.#put(held.kind, held.place, rounded(box));
      this.#tell();
    };
    const listeners = { pointermove: move, pointerup: end, pointercancel: end };
    this.frame.setPointerCapture(event.pointerId);
    for (const [name, listener] of Object.entries(listeners)) this.frame.addEventListener(name, listener);
  }

  #point(event) {
    const { left, top, width, height } = this.frame.getBoundingClientRect();
    return [within((event.clientX - left) / width), within((event.clientY - top) / height)];
  }
}

export function lay(region, kind, [left, top, right, bottom]) {
  Object.assign(region.style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` });
  const [west, north, east, south] = shares([left, top, right, bottom]);
  region.setAttribute("aria-label", `${WORDS[kind]}: ${west} to ${east} across, ${north} to ${south} down. ${HELP}`);
}

function moved([left, top, right, bottom], [x, y]) {
  const [across, down] = [Math.min(1 - right, Math.max(-left, x)), Math.min(1 - bottom, Math.max(-top, y))];
  return rounded([left + across, top + down, right + across, bottom + down]);
}

function grown([left, top, right, bottom], [x, y]) {
  return rounded([left, top, Math.min(1, Math.max(left + LEAST, right + x)), Math.min(1, Math.max(top + LEAST, bottom + y))]);
}
