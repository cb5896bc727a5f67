// A map of the gallery to wander in: images that look alike lie near each other, and clusters of them by name.
import { $, button, make, say } from "./element.js";
import { swatch } from "./marks.js";
import { Plane } from "./plane.js";
import { ask, imageAddress, inGallery } from "./service.js";
import { problemState } from "./states.js";
import { count, inPercent, nameOf } from "./words.js";

const NAMED = 2; // labels in a cluster's name
const UNNAMED = "Cluster";

export class AtlasView {
  constructor(place, similar) {
    Object.assign(this, { place, similar, map: null, shown: null, uris: new Map() });
    this.plane = new Plane($("plane"), { pointed: (point) => this.#point(point), chosen: (point) => this.#choose(point) });
    for (const [id, factor] of [["nearer", 1.5], ["farther", 1 / 1.5]]) $(id).addEventListener("click", () => this.plane.zoom(factor));
    $("cluster-all").addEventListener("click", () => this.#showAll());
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
    this.plane.take(map.points, map.clusters.map((each, number) => ({ text: this.#named(each)[0] ?? String(number + 1), at: this.#place(each.exemplar), images: each.images })));
  }

  #clusterButton(cluster, number) {
    const shown = button("", () => this.#mark(number), { className: "cluster", "aria-pressed": "false" });
    shown.append(swatch(number), make("img", { src: imageAddress(this.place(), this.#pictured(cluster)), alt: "", loading: "lazy" }),
      make("span", {}, this.#name(cluster, number)), make("span", { className: "quiet" }, count(cluster.images, "image")));
    return make("li", {}, shown);
  }

  #mark(number) { // one cluster is looked at: the map goes there, its nearest images are listed
    const all = [...$("clusters").querySelectorAll("button")];
    all.forEach((each, place) => each.setAttribute("aria-pressed", String(place === number)));
    this.plane.mark(number);
    const cluster = number === null ? null : this.map.clusters[number];
    $("cluster-shown").hidden = !cluster;
    if (!cluster) return;
    say($("cluster-name"), `${this.#name(cluster, number)}, ${count(cluster.images, "image")}`);
    $("cluster-images").replaceChildren(...cluster.nearest.map((imageId, place) => this.#image(imageId, place)));
    this.#tellPart(cluster.nearest.length, cluster.images);
  }

  #tellPart(shown, all) {
    $("cluster-all").hidden = shown === all;
    say($("cluster-all"), `Show all ${all.toLocaleString("en")}`);
    say($("cluster-part"), shown === all ? "" : `The ${count(shown, "image")} nearest to its middle are shown.`);
  }

  #showAll() { // the rest of the cluster, after those nearest to its middle
    const number = this.plane.marked;
    const cluster = this.map.clusters[number];
    const { image_id: ids, cluster: of } = this.map.points;
    const rest = ids.filter((id, at) => of[at] === number && !cluster.nearest.includes(id));
    const first = cluster.nearest.length;
    $("cluster-images").append(...rest.map((id, place) => this.#image(id, first + place)));
    this.#tellPart(cluster.images, cluster.images);
    $("cluster-images").children[first]?.querySelector("button").focus(); // the button that had it is gone
  }

  #image(imageId, place) {
    const at = this.#place(imageId);
    const label = at === null ? null : this.map.labels[this.map.points.label[at]];
    return make("li", {}, make("button", {
      type: "button", title: label ?? "", "aria-label": `Find images similar to image ${place + 1} of this cluster${label ? `, ${label}` : ""}`, onclick: () => this.similar({ image_id: imageId }),
    }, make("img", { src: imageAddress(this.place(), imageId), alt: "", loading: "lazy" })));
  }

  #named({ labels }) { return this.map.labels.length > 1 ? Object.keys(labels) : []; } // the only label tells nothing apart

  #name(cluster, number) {
    const names = this.#named(cluster);
    if (!names.length) return `${UNNAMED} ${number + 1}`;
    return names.slice(0, NAMED).join(", ") + (names.length > NAMED ? " …" : "");
  }

  #place(imageId) {
    const at = this.map.points.image_id.indexOf(imageId);
    return at < 0 ? null : at;
  }

  #pictured({ labels, nearest, exemplar }) { // the one nearest to the middle that has the label that is named first
    const [first] = Object.keys(labels);
    if (!first) return exemplar;
    const { points, labels: all } = this.map;
    return nearest.find((id) => all[points.label[this.#place(id)]] === first) ?? exemplar;
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
