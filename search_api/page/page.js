// The page that people use: asks the service, and shows what it answers. No text of theirs becomes markup.
import { drawLinks } from "./links.js";

const $ = (id) => document.getElementById(id);
let asked = null; // what is asked with: {file} or {imageId, name}
let answer = null; // to the latest question
let latest = null; // the question itself
let shown = {}; // what the open match looks like, by view
const SCORERS = { distance: "distance", "pair-head": "learned pair head" };

async function fetched(path, options) {
  const response = await fetch(path, options).catch(() => {
    throw new Error("The service cannot be reached.");
  });
  const content = await response.json();
  if (response.ok) return content;
  if (response.status === 401) location.assign("/sign-in"); // the session is over
  throw new Error(`${content.title}. ${content.detail}`);
}

function say(where, text, { problem = false } = {}) {
  where.textContent = text;
  where.classList.toggle("problem", problem);
}

const sayProblem = (error) => say($("status"), error.message, { problem: true });

async function listGalleries() {
  const { galleries } = await fetched("/v1/galleries");
  if (!galleries.length) return say($("status"), "No gallery is published yet: index a folder, then reload this page.");
  $("gallery").replaceChildren(...galleries.map((each) => new Option(`${each.name} (${each.images})`, each.name)));
  $("gallery").value = (galleries.find((each) => each.name === "default") ?? galleries[0]).name;
  say($("status"), "Choose a picture, and the images that look like it appear here.");
  return lookInto($("gallery").value);
}

async function lookInto(name) {
  const { labels, attributes, build, encoder, calibration, scorers, class_head } = await fetched(`/v1/galleries/${encodeURIComponent(name)}`);
  const options = Object.entries(labels).map(([label, count]) => new Option(`${label} (${count})`, label));
  $("label").replaceChildren(new Option("any", ""), ...options);
  showAttributes(attributes);
  $("scorer").replaceChildren(...scorers.map((each) => new Option(SCORERS[each] ?? each, each)));
  $("scorer").parentElement.hidden = scorers.length < 2;
  $("prefilter").closest("label").hidden = !class_head;
  const unjudged = calibration.reason ? ` No verdicts: ${calibration.reason}.` : "";
  say($("about"), `Build ${build}, encoder ${encoder.name}.${unjudged}`);
}

function showAttributes(attributes) {
  const told = attributes.map(({ name, numbers, images, least, greatest, values }) => {
    if (numbers === images && least !== greatest) return `${name} ${least} to ${greatest}`;
    const some = Object.keys(values ?? {}).slice(0, 5).join(", ");
    return some ? `${name} (${some}${Object.keys(values).length > 5 ? ", …" : ""})` : name;
  });
  $("where").closest("label").hidden = $("attributes").hidden = !told.length;
  if (!told.length) $("where").value = "";
  say($("attributes"), `Conditions such as year >= 2020 or site in (a, b), on: ${told.join("; ")}.`);
}

async function search() {
  if (!asked) return;
  const mine = (latest = {});
  const form = put(new FormData(), "image", asked);
  form.set("k", $("k").value);
  for (const id of ["gallery", "label", "scorer", "where"]) if ($(id).value) form.set(id, $(id).value);
  $("prefilter").disabled = Boolean($("label").value); // one of the two narrows
  const narrowing = $("prefilter").closest("label");
  if ($("prefilter").checked && !$("prefilter").disabled && !narrowing.hidden) form.set("prefilter", "label");
  say($("status"), "Searching …");
  $("matches").inert = true;
  const found = await fetched("/v1/search", { method: "POST", body: form }).catch((error) => ({ error, matches: [] }));
  if (mine !== latest) return; // something else was asked meanwhile
  answer = found;
  $("matches").inert = false;
  $("matches").replaceChildren(...found.matches.map(card));
  if (found.error) return sayProblem(found.error);
  const { prefilter, matches: { length } } = found;
  const only = prefilter ? ` of “${prefilter.label}” (${inPercent(prefilter.probability)})` : "";
  say($("status"), length ? `${length} nearest${only}, in ${duration(found.timings.total)}.` : "Nothing was found.");
}

const duration = (ms) => (ms < 1000 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(1)}\u00a0s`);

function put(form, field, picture) {
  if (picture.file) form.set(field, picture.file, picture.file.name || "pasted picture");
  else form.set(field === "image" ? "image_id" : `${field}_image_id`, picture.imageId);
  return form;
}

function card(match) {
  const image = Object.assign(new Image(), { src: address(match, "thumbnail"), alt: "", loading: "lazy" });
  const told = [inWords(match), inNumbers(match), match.label ?? nameOf(match.uri), match.reason.text];
  const looks = [`words ${match.verdict ?? ""}`, "numbers", "numbers", "reason"];
  const lines = told.map((line, row) => Object.assign(document.createElement("span"), { textContent: line, className: looks[row] }));
  const button = document.createElement("button");
  button.append(image, ...lines);
  button.addEventListener("click", () => explain(match));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function inWords({ distance, similarity, probability, verdict }) {
  if (distance === 0) return "The same picture";
  if (!verdict) return `Similarity ${similarity.toFixed(2)}`; // nothing was fitted, so nothing is claimed
  const sure = verdict === "same" ? probability : 1 - probability;
  return `${sure > 0.95 ? "Almost surely" : sure > 0.75 ? "Probably" : "Perhaps"} ${verdict === "same" ? "the same" : verdict}`;
}

function inPercent(probability) {
  if (probability > 0.99) return "over 99\u00a0%"; // an estimate is never certain
  return probability < 0.01 ? "under 1\u00a0%" : `${Math.round(probability * 100)}\u00a0%`;
}

function inNumbers({ distance, probability }) {
  const chance = probability === null ? "" : `${inPercent(probability)} same, `;
  return `${chance}distance\u00a0${distance.toFixed(2)}`;
}

const nameOf = (uri) => (uri ?? "").split(/[\\/]/).pop();
const address = (match, what) =>
  `/v1/images/${match.image_id}/${what}?gallery=${encodeURIComponent(answer.gallery)}&build=${answer.build}`;

async function explain(match) {
  const apart = match.verdict === "different";
  say($("verdict"), inWords(match));
  say($("factual-name"), apart ? "What sets them apart" : "What makes them alike");
  say($("counterfactual-name"), apart ? "What they share" : "What speaks against it");
  const where = answer.threshold === null ? "a probability of 50\u00a0%" : `a distance of ${answer.threshold.toFixed(2)}`;
  const turn = match.verdict ? `; the verdict turns at ${where}` : "";
  say($("numbers"), `In numbers: ${inNumbers(match)}, similarity\u00a0${match.similarity.toFixed(2)}${turn}. Distance 0 is identical.`);
  say($("reason"), [match.reason.text, ...match.reason.warnings.map(({ text }) => text)].join(" "));
  say($("query-caption"), `Asked with: ${asked.file?.name ?? asked.name}`);
  say($("matched-caption"), `Match ${match.rank}: ${match.uri}` + (match.label ? ` (${match.label})` : ""));
  $("similar").onclick = () => {
    $("why").close();
    ask({ imageId: match.image_id, name: nameOf(match.uri) });
  };
  shown = { verdict: match.verdict, picture: { query: $("asked").src, matched: address(match, "picture") } };
  showView();
  $("why").showModal();
  await paint(match, shown).catch((error) => say($("why-status"), error.message, { problem: true }));
}

async function paint(match, views) {
  const form = put(new FormData(), "a", asked);
  form.set("b_image_id", match.image_id);
  form.set("gallery", answer.gallery);
  form.set("overlays", "true");
  form.set("correspondences", "true");
  form.set("scorer", answer.scorer);
  form.set("calibration", "shown"); // as the search judged it
  say($("why-status"), "Painting …");
  const { overlays: { query, matched }, evidence, correspondences } = await fetched("/v1/compare", { method: "POST", body: form });
  for (const part of ["factual", "counterfactual"]) views[part] = { query: query[part], matched: matched[part] };
  views.spots = { ...views.picture, correspondences, average: 1 / (cells(evidence.query) * cells(evidence.matched)) };
  if (views !== shown) return; // another match was opened meanwhile
  const small = matched.drawn_on === "thumbnail" ? "The original is gone or has changed: drawn on the thumbnail kept of it." : "";
  const notes = new Set([small, evidence.query.note, evidence.matched.note].filter(Boolean));
  say($("why-status"), [...notes].join(" "));
  showView();
}

const cells = ({ factual }) => factual.flat().length;

function showView() {
  const chosen = document.querySelector("[name=view]:checked").value;
  const view = shown[chosen] ?? shown.picture;
  $("pair").classList.toggle("waiting", !shown[chosen]);
  for (const [side, name] of [["query", "The picture asked with"], ["matched", "The matched image"]]) {
    $(`${side}-image`).src = view[side];
    $(`${side}-image`).alt = view[side] === shown.picture[side] ? name : `${name}, heat painted over it`;
  }
  showLinks();
  const meaning = { factual: "Orange: how much a spot supports", counterfactual: "Blue: how much a spot speaks against" }[chosen];
  const told = shown.verdict ? $("verdict").textContent : "The same"; // without a verdict the maps are read as same
  const caution = "The line runs where heat passes half its greatest. Hatched grey: not looked at. Heat says what the number was computed from, not what is true.";
  if (view.correspondences) say($("legend"), linesInWords(view)); // left out where a map is missing
  else say($("legend"), meaning ? `${meaning} “${told}”. ${caution}` : "");
}

function strongest({ correspondences = [], average } = {}) { // what adds less than any two spots do on average is no answer
  return correspondences.filter(({ share }) => share === null || share >= average);
}

function linesInWords(view) {
  const [first] = strongest(view);
  if (!first) return "No two spots that are each other's most alike add more to the cosine than any two do on average.";
  const lines = "A line joins two spots that are each other's most alike; the thicker, the more they add to the cosine.";
  if (first.share === null) return lines;
  return `${lines} Line 1 adds ${(100 * first.share).toFixed(2)}\u00a0% of it, any two spots ${(100 * view.average).toFixed(2)}\u00a0% on average.`;
}

function showLinks() {
  const chosen = document.querySelector("[name=view]:checked").value;
  drawLinks($("links"), [$("query-image"), $("matched-image")], strongest(shown[chosen]));
}

function ask(picture) {
  if (asked?.file) URL.revokeObjectURL($("asked").src);
  asked = picture;
  const gallery = encodeURIComponent(answer?.gallery ?? "");
  $("asked").src = picture.file ? URL.createObjectURL(picture.file) : `/v1/images/${picture.imageId}/picture?gallery=${gallery}`;
  $("asked").alt = picture.file?.name ?? picture.name;
  $("asked").hidden = false;
  say($("invitation"), "Choose, drop or paste another.");
  search();
}

async function detach() { // another gallery does not know an image of this one: it is asked with the picture
  const mine = asked;
  if (!mine?.imageId) return;
  const response = await fetch($("asked").src).catch(() => null);
  if (!response?.ok) throw new Error(`The picture of ${mine.name} cannot be read any more: choose another.`);
  const file = new File([await response.blob()], mine.name);
  if (asked === mine) asked = { file };
}

function received(files) {
  const file = [...files].find((each) => each.type.startsWith("image/") || !each.type);
  if (file) ask({ file });
  else sayProblem(new Error("That is no picture; choose an image file."));
}

$("file").addEventListener("change", () => { if ($("file").files.length) received($("file").files); $("file").value = ""; });
document.querySelectorAll("[name=view]").forEach((each) => each.addEventListener("change", showView));
for (const side of ["query", "matched"]) $(`${side}-image`).addEventListener("load", showLinks);
addEventListener("resize", showLinks);
$("ask").addEventListener("submit", (event) => event.preventDefault());
$("gallery").addEventListener("change", () => Promise.all([lookInto($("gallery").value), detach()]).then(search).catch(sayProblem));
for (const id of ["label", "k", "scorer", "prefilter", "where"]) $(id).addEventListener("change", search);
for (const kind of ["dragover", "dragleave", "drop"]) {
  addEventListener(kind, (event) => { event.preventDefault(); $("drop").classList.toggle("over", kind === "dragover"); });
}
addEventListener("drop", (event) => received(event.dataTransfer.files));
addEventListener("paste", (event) => { if (event.clipboardData.files.length) received(event.clipboardData.files); });
listGalleries().catch(sayProblem);
