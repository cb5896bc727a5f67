// Points on a canvas that can be wandered in: by dragging, wheel, pinch and keyboard.
import { markOf, trace } from "./marks.js";

const [NEAREST, FARTHEST, WHEEL, STEP] = [40, 1, 0.0015, 0.15]; // zooms; of the wheel's way; of the width, for an arrow key
const [DOT, BIG, REACH, MARGIN] = [3.2, 6, 14, 0.92]; // pixels; the part of the canvas that the map fills
const [WORDS, LINE, ROOM] = ["600 13px system-ui, sans-serif", 11, 6]; // of names; half the height of one, and what is free beside it
const [FEWEST, APART] = [3, 140]; // images of a cluster that is named unasked; pixels between two of one name
const SLIP = 5; // pixels: a pointer that moved less has tapped

export class Plane {
  constructor(canvas, { pointed, chosen }) {
    Object.assign(this, { canvas, pointed, chosen, points: null, names: [], marked: null, dragged: 0, pointers: new Map() });
    Object.assign(this, { reach: [1, 1], middle: [0, 0] });
    this.view = { zoom: 1, x: 0, y: 0 };
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); this.zoom(Math.exp(-event.deltaY * WHEEL), this.#place(event)); }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); this.pointers.set(event.pointerId, this.#place(event)); this.dragged = 0; });
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.#end(event));
    canvas.addEventListener("pointerleave", () => pointed(null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  // `names` say what clusters are called, and at which point their name is written
  take(points, names) {
    Object.assign(this, { points, names });
    const ends = [points.x, points.y].map((values) => (values.length ? [Math.min(...values), Math.max(...values)] : [-1, 1]));
    this.reach = ends.map(([least, greatest]) => Math.max(0.1, (greatest - least) / 2));
    this.middle = ends.map(([least, greatest]) => (least + greatest) / 2);
    this.all();
  }

  all() {
    this.view = { zoom: 1, x: this.middle[0], y: this.middle[1] };
    this.draw();
  }

  mark(cluster) { // its points stand out, and the map goes where they lie
    this.marked = cluster;
    if (cluster === null || !this.points) return this.draw();
    const own = this.points.cluster.map((each, at) => (each === cluster ? at : -1)).filter((at) => at >= 0);
    const [[west, east], [north, south]] = [this.points.x, this.points.y].map((values) => [Math.min(...own.map((at) => values[at])), Math.max(...own.map((at) => values[at]))]);
    const zoom = Math.min(NEAREST / 4, Math.max(FARTHEST, 1.4 / Math.max(east - west, south - north, 0.05)));
    this.view = { zoom, x: (west + east) / 2, y: (north + south) / 2 };
    this.draw();
  }

  zoom(factor, [x, y] = [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2]) { // what lies there stays there
    const before = this.#world([x, y]);
    this.view.zoom = Math.min(NEAREST, Math.max(FARTHEST, this.view.zoom * factor));
    const after = this.#world([x, y]);
    this.#shift(before[0] - after[0], before[1] - after[1]);
  }

  #shift(x, y) {
    this.view.x = Math.min(1, Math.max(-1, this.view.x + x));
    this.view.y = Math.min(1, Math.max(-1, this.view.y + y));
    this.draw();
  }

  get #scale() { return Math.min(this.canvas.clientWidth / 2 / this.reach[0], this.canvas.clientHeight / 2 / this.reach[1]) * MARGIN * this.view.zoom; }
  #place({ clientX, clientY }) { const { left, top } = this.canvas.getBoundingClientRect(); return [clientX - left, clientY - top]; }
  #world([x, y]) { return [this.view.x + (x - this.canvas.clientWidth / 2) / this.#scale, this.view.y + (y - this.canvas.clientHeight / 2) / this.#scale]; }
  #screen(at) { return [(this.points.x[at] - this.view.x) * this.#scale + this.canvas.clientWidth / 2, (this.points.y[at] - this.view.y) * this.#scale + this.canvas.clientHeight / 2]; }

  draw() {
    const { canvas, points } = this;
    const pixels = devicePixelRatio || 1;
    Object.assign(canvas, { width: canvas.clientWidth * pixels, height: canvas.clientHeight * pixels });
    if (!points || !canvas.width) return;
    const context = canvas.getContext("2d");
    context.scale(pixels, pixels);
    const size = Math.min(BIG, DOT * Math.sqrt(this.view.zoom));
    const order = points.cluster.map((_, at) => at).sort((a, b) => (points.cluster[a] === this.marked) - (points.cluster[b] === this.marked));
    for (const at of order) {
      const [x, y] = this.#screen(at);
      if (x < -BIG || y < -BIG || x > canvas.clientWidth + BIG || y > canvas.clientHeight + BIG) continue;
      const isMarked = this.marked === null || points.cluster[at] === this.marked;
      context.globalAlpha = isMarked ? 0.85 : 0.18;
      const { colour, shape } = markOf(points.cluster[at]);
      trace(context, shape, [x, y], at === this.hovered ? BIG + 2 : size);
      context.fillStyle = colour;
      context.fill();
    }
    context.globalAlpha = 1;
    this.#name(context);
  }

  #name(context) { // clusters by their labels, the largest first, where there is room for words
    const { color, backgroundColor } = getComputedStyle(this.canvas);
    Object.assign(context, { font: WORDS, textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 3, strokeStyle: backgroundColor, fillStyle: color });
    const taken = [];
    this.names.forEach(({ text, at, images }, cluster) => {
      if (!text || at === null || (this.marked === null ? images < FEWEST : cluster !== this.marked)) return;
      const [x, y] = this.#screen(at);
      const [across, down] = [context.measureText(text).width / 2 + ROOM, LINE];
      if (taken.some((other) => Math.abs(other.x - x) < other.across + across && Math.abs(other.y - y) < 2 * down)) return;
      if (taken.some((other) => other.text === text && Math.hypot(other.x - x, other.y - y) < APART)) return;
      taken.push({ text, x, y, across });
      context.strokeText(text, x, y);
      context.fillText(text, x, y);
    });
  }

  #near([x, y]) { // the nearest point within reach
    if (!this.points) return null;
    let [found, least] = [null, REACH];
    for (let at = 0; at < this.points.x.length; at += 1) {
      const [pointX, pointY] = this.#screen(at);
      const away = Math.hypot(pointX - x, pointY - y);
      if (away < least) [found, least] = [at, away];
    }
    return found;
  }

  #move(event) {
    const place = this.#place(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.#hover(place);
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, each]) => each);
    this.pointers.set(event.pointerId, place);
    this.dragged += Math.hypot(place[0] - before[0], place[1] - before[1]);
    if (others.length) return this.zoom(Math.hypot(place[0] - others[0][0], place[1] - others[0][1]) / Math.max(1, Math.hypot(before[0] - others[0][0], before[1] - others[0][1])), others[0]);
    this.pointed(null);
    return this.#shift(-(place[0] - before[0]) / this.#scale, -(place[1] - before[1]) / this.#scale);
  }

  #hover(place) {
    const found = this.#near(place);
    if (found === this.hovered) return;
    this.hovered = found;
    this.draw();
    this.pointed(this.#told(found));
  }

  #end(event) {
    const wasAlone = this.pointers.size === 1;
    this.pointers.delete(event.pointerId);
    if (event.type !== "pointerup" || !wasAlone || this.dragged > SLIP) return;
    const found = this.#near(this.#place(event));
    const isKnown = found !== null && (event.pointerType === "mouse" || found === this.hovered); // the first tap shows, the second asks
    this.hovered = found;
    this.draw();
    this.pointed(this.#told(found));
    if (isKnown) this.chosen(this.#told(found));
  }

  #told(at) {
    if (at === null) return null;
    const [x, y] = this.#screen(at);
    return { image_id: this.points.image_id[at], label: this.points.label[at], x, y };
  }

  #key(event) {
    const way = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (way) this.#shift(way[0] * 2 / this.view.zoom, way[1] * 2 / this.view.zoom);
    else if (event.key === "+" || event.key === "=") this.zoom(1.5);
    else if (event.key === "-") this.zoom(1 / 1.5);
    else if (event.key === "0") this.all();
    else return;
    event.preventDefault();
  }
}
