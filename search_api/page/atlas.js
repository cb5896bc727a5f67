// A map of the gallery to wander in: images that look alike lie near each other, and clusters of them by name.
import { $, button, make, say } from "./element.js";
import { Plane } from "./plane.js";
import { ask, imageAddress, inGallery } from "./service.js";
import { problemState } from "./states.js";
import { count, inPercent, nameOf } from "./words.js";

const NAMED = 2; // labels in a cluster's name
const UNNAMED = "Unlabelled";

export class AtlasView {
  constructor(place, similar) {
    Object.assign(this, { place, similar, map: null, shown: null, uris: new Map() });
    this.plane = new Plane($("plane"), { pointed: (point) => this.#point(point), chosen: (point) => this.#choose(point) });
    for (const [id, factor] of [["nearer", 1.5], ["farther", 1 / 1.5]]) $(id).addEventListener("click", () => this.plane.zoom(factor));
    $("all-of-it").addEventListener("click", () => { this.#mark(null); this.plane.all(); });
  }

  async show() {
    const { gallery, build } = this.place();
    const asked = `${gallery}/${build}`;
    if (this.shown === asked) return this.plane.draw();
    this.shown = asked;
    $("atlas-state").replaceChildren();
    $("atlas-shown").hidden = true;
    say($("atlas-status"), "Drawing the map; the first time this takes some seconds …");
    try {
      const map = await ask(`${inGallery(gallery, "/map")}?build=${build}`);
      if (this.shown === asked) this.#lay(map);
    } catch (problem) {
      this.shown = null;
      say($("atlas-status"), "");
      $("atlas-state").replaceChildren(problemState(problem, () => this.show()));
    }
  }

  #lay(map) {
    this.map = map;
    const drawn = map.points.image_id.length;
    const part = drawn < map.images ? `${drawn.toLocaleString("en")} of ${count(map.images, "image")}` : count(map.images, "image");
    say($("atlas-status"), `${part} in ${count(map.clusters.length, "cluster")}. The two directions keep ${inPercent(map.explained[0] + map.explained[1])} of what makes images differ; clusters are made of all of it.`);
    $("atlas-shown").hidden = false;
    $("clusters").replaceChildren(...map.clusters.map((each, number) => this.#clusterButton(each, number)));
    this.#mark(null);
    this.plane.take(map.points, map.clusters.length);
  }

  #clusterButton(cluster, number) {
    const shown = button("", () => this.#mark(number), { className: "cluster", "aria-pressed": "false" });
    const swatch = make("span", { className: "swatch", "aria-hidden": "true" });
    swatch.style.background = this.plane.colour(number);
    shown.append(swatch, make("img", { src: imageAddress(this.place(), cluster.exemplar), alt: "", loading: "lazy" }),
      make("span", {}, clusterName(cluster)), make("span", { className: "quiet" }, count(cluster.images, "image")));
    return make("li", {}, shown);
  }

  #mark(number) { // one cluster is looked at: the map goes there, its nearest images are listed
    const all = [...$("clusters").querySelectorAll("button")];
    all.forEach((each, place) => each.setAttribute("aria-pressed", String(place === number)));
    this.plane.mark(number);
    const cluster = number === null ? null : this.map.clusters[number];
    $("cluster-shown").hidden = !cluster;
    if (!cluster) return;
    say($("cluster-name"), `${clusterName(cluster)}, ${count(cluster.images, "image")}`);
    $("cluster-images").replaceChildren(...cluster.nearest.map((imageId, place) => make("li", {}, make("button", {
      type: "button", "aria-label": `Find images similar to image ${place + 1} of this cluster`, onclick: () => this.similar({ image_id: imageId }),
    }, make("img", { src: imageAddress(this.place(), imageId), alt: "", loading: "lazy" })))));
  }

  async #point(point) { // the picture below the pointer, beside it
    const tip = $("tip");
    tip.hidden = !point;
    if (!point) return;
    const { image_id: imageId, label, x, y } = point;
    Object.assign(tip.style, { left: `${x}px`, top: `${y}px` });
    tip.classList.toggle("leftward", x > $("plane").clientWidth / 2);
    tip.classList.toggle("upward", y > $("plane").clientHeight / 2);
    const text = label === null ? this.uris.get(imageId) ?? "" : this.map.labels[label];
    tip.replaceChildren(make("img", { src: imageAddress(this.place(), imageId), alt: "" }), make("span", {}, text));
    if (label !== null || this.uris.has(imageId)) return;
    const { uri } = await ask(`/v1/images/${imageId}?gallery=${encodeURIComponent(this.place().gallery)}`).catch(() => ({ uri: "" }));
    this.uris.set(imageId, nameOf(uri));
    if (tip.firstChild?.src.includes(`/${imageId}/`)) say(tip.lastChild, nameOf(uri));
  }

  #choose(point) { if (point) this.similar({ image_id: point.image_id }); }
}

function clusterName({ labels }) {
  const names = Object.keys(labels);
  if (!names.length) return UNNAMED;
  return names.slice(0, NAMED).join(", ") + (names.length > NAMED ? " …" : "");
}
