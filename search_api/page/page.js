// The page that people use: asks the service, and shows what it answers. No text of theirs becomes markup.
const $ = (id) => document.getElementById(id);
let asked = null; // what is asked with: {file} or {imageId, name}
let answer = null; // the last search
let shown = {}; // what the open match looks like, by view
let asking = new AbortController();

async function fetched(path, options) {
  const response = await fetch(path, options).catch((error) => {
    throw error.name === "AbortError" ? error : new Error("The service cannot be reached.");
  });
  const content = await response.json().catch(() => ({}));
  if (response.ok) return content;
  throw new Error(`${content.title ?? "The service refused"}. ${content.detail ?? ""}`);
}

function say(where, text, { problem = false } = {}) {
  where.textContent = text;
  where.classList.toggle("problem", problem);
}

function choices(select, options) {
  select.replaceChildren(...options.map(([text, value]) => new Option(text, value)));
}

async function listGalleries() {
  const { galleries } = await fetched("/v1/galleries");
  choices($("gallery"), galleries.map((each) => [`${each.name} (${each.images})`, each.name]));
  if (!galleries.length) return say($("status"), "No gallery is published yet: index a folder, then reload this page.");
  const usual = galleries.find((each) => each.name === "default") ?? galleries[0];
  $("gallery").value = usual.name;
  await lookInto(usual.name);
  if (!asked) say($("status"), "Choose a picture, and the images that look like it appear here.");
}

async function lookInto(name) {
  const gallery = await fetched(`/v1/galleries/${encodeURIComponent(name)}`);
  const labels = Object.entries(gallery.labels).map(([label, count]) => [`${label} (${count})`, label]);
  choices($("label"), [["any", ""], ...labels]);
  const reason = gallery.calibration.reason;
  say($("about"), `Build ${gallery.build}, encoder ${gallery.encoder.name}.` + (reason ? ` No verdicts: ${reason}.` : ""));
}

async function search() {
  if (!asked) return;
  asking.abort();
  asking = new AbortController();
  const form = new FormData();
  put(form, "image", asked);
  form.set("k", $("k").value);
  if ($("gallery").value) form.set("gallery", $("gallery").value);
  if ($("label").value) form.set("label", $("label").value);
  say($("status"), "Searching …");
  $("matches").classList.add("waiting");
  try {
    answer = await fetched("/v1/search", { method: "POST", body: form, signal: asking.signal });
    showMatches();
  } catch (error) {
    if (error.name === "AbortError") return;
    $("matches").replaceChildren();
    say($("status"), error.message, { problem: true });
  }
  $("matches").classList.remove("waiting");
}

function put(form, field, picture) {
  if (picture.file) form.set(field, picture.file, picture.file.name || "pasted picture");
  else form.set(field === "image" ? "image_id" : `${field}_image_id`, picture.imageId);
}

function showMatches() {
  const count = answer.matches.length;
  const milliseconds = Math.round(answer.timings.total);
  say($("status"), count ? `${count} nearest, in ${milliseconds} ms.` : "Nothing was found here: the gallery has no such images.");
  $("matches").replaceChildren(...answer.matches.map(card));
}

function card(match) {
  const button = document.createElement("button");
  const image = Object.assign(new Image(), { src: address(match, "thumbnail"), alt: "", loading: "lazy" });
  const words = text("words", inWords(match), match.verdict);
  button.append(image, words, text("numbers", inNumbers(match)), text("numbers", match.label ?? nameOf(match.uri)));
  button.addEventListener("click", () => explain(match));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function text(kind, content, verdict) {
  const span = document.createElement("span");
  span.className = verdict ? `${kind} ${verdict}` : kind;
  span.textContent = content;
  return span;
}

function inWords({ distance, similarity, probability, verdict }) {
  if (distance === 0) return "The same picture";
  if (!verdict) return `Similarity ${similarity.toFixed(2)}`; // nothing was fitted, so nothing is claimed
  const sure = verdict === "same" ? probability : 1 - probability;
  return `${sure > 0.95 ? "Almost certainly" : sure > 0.75 ? "Probably" : "Perhaps"} ${verdict}`;
}

function inNumbers({ distance, similarity, probability }) {
  const chance = probability === null ? "" : `, ${Math.round(probability * 100)} % same`;
  return `distance ${distance.toFixed(2)}, similarity ${similarity.toFixed(2)}${chance}`;
}

const nameOf = (uri) => (uri ?? "").split(/[\\/]/).pop();
const address = (match, what) =>
  `/v1/images/${match.image_id}/${what}?gallery=${encodeURIComponent(answer.gallery)}&build=${answer.build}`;

async function explain(match) {
  const apart = match.verdict === "different";
  say($("verdict"), inWords(match));
  say($("factual-name"), apart ? "What sets them apart" : "What makes them alike");
  say($("counterfactual-name"), apart ? "What they share" : "What speaks against it");
  const turn = match.verdict ? `; the verdict turns at a distance of ${answer.threshold.toFixed(2)}` : "";
  say($("numbers"), `In numbers: ${inNumbers(match)}${turn}. Distance 0 is identical.`);
  say($("query-caption"), `Asked with: ${asked.file?.name ?? asked.name}`);
  say($("matched-caption"), `Match ${match.rank}: ${match.uri}` + (match.label ? ` (${match.label})` : ""));
  $("similar").onclick = () => {
    $("why").close();
    ask({ imageId: match.image_id, name: nameOf(match.uri) });
  };
  shown = { picture: { query: $("asked").src, matched: address(match, "picture") } };
  showView();
  $("why").showModal();
  await paint(match, shown).catch((error) => say($("why-status"), error.message, { problem: true }));
}

async function paint(match, views) {
  const form = new FormData();
  put(form, "a", asked);
  form.set("b_image_id", match.image_id);
  form.set("gallery", answer.gallery);
  form.set("overlays", "true");
  say($("why-status"), "Painting …");
  const { overlays: { query, matched } } = await fetched("/v1/compare", { method: "POST", body: form });
  for (const part of ["factual", "counterfactual"]) views[part] = { query: query[part], matched: matched[part] };
  if (views !== shown) return; // another match was opened meanwhile
  const small = matched.drawn_on === "thumbnail";
  say($("why-status"), small ? "The original is gone or has changed: drawn on the thumbnail kept of it." : "");
  showView();
}

function showView() {
  const chosen = document.querySelector("[name=view]:checked").value;
  const view = shown[chosen] ?? shown.picture;
  $("pair").classList.toggle("waiting", !shown[chosen]);
  for (const [side, name] of [["query", "The picture asked with"], ["matched", "The matched image"]]) {
    $(`${side}-image`).src = view[side];
    $(`${side}-image`).alt = chosen === "picture" ? name : `${name}, heat painted over it`;
  }
  const colour = { factual: "Orange: how much a spot supports it.", counterfactual: "Blue: how much a spot speaks against it." }[chosen];
  say($("legend"), colour ? `${colour} Hatched grey: not looked at. Heat says what the number was computed from, not what is true.` : "");
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

function received(files) {
  const file = [...files].find((each) => each.type.startsWith("image/") || !each.type);
  if (file) ask({ file });
  else say($("status"), "That is no picture; choose an image file.", { problem: true });
}

$("file").addEventListener("change", () => { if ($("file").files.length) received($("file").files); $("file").value = ""; });
document.querySelectorAll("[name=view]").forEach((each) => each.addEventListener("change", showView));
$("ask").addEventListener("submit", (event) => event.preventDefault());
$("gallery").addEventListener("change", () => lookInto($("gallery").value).then(search, (error) => say($("status"), error.message, { problem: true })));
for (const id of ["label", "k"]) $(id).addEventListener("change", search);
for (const kind of ["dragover", "dragleave", "drop"]) {
  addEventListener(kind, (event) => { event.preventDefault(); $("drop").classList.toggle("over", kind === "dragover"); });
}
addEventListener("drop", (event) => received(event.dataTransfer.files));
addEventListener("paste", (event) => { if (event.clipboardData.files.length) received(event.clipboardData.files); });
listGalleries().catch((error) => say($("status"), error.message, { problem: true }));
