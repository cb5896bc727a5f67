// Which images are looked for, how near they must be, and how they are put together.
import { $, later, make, say } from "./element.js";
import { SEVERAL, SINGLE } from "./address.js";
import { inPercent } from "./words.js";

const SCORERS = { distance: "distance", "pair-head": "learned pair head" };
const [MANY, FEW] = [12, 8]; // labels from which on they can be looked through by typing; values shown as boxes
const [MOST_SHOWN, GROUP_SIZE] = [100, 4]; // images of one answer, and of one group
const ROOMY = "(min-width: 46.01rem)"; // where filters stand beside the matches
const TYPING = 500; // milliseconds
const ANY = { min_probability: "0", max_distance: "2" }; // where a slider asks for nothing
const SEVERAL_TOLD = "No verdicts and no probabilities where several pictures are asked with: they are learned from pairs of two.";
const OURS = ["k", "where", "scorer", "prefilter", "min_probability", "max_distance", "group_by", "fold", "include_judged", "label", "attribute"];

export class Filters {
  constructor(form, changed) {
    Object.assign(this, { form, detail: null });
    $("which").open = matchMedia(ROOMY).matches; // on a phone the matches come first
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.#tellSliders());
    form.addEventListener("change", (event) => { if (event.target.id !== "label-search") changed(); });
    $("where").addEventListener("input", later(TYPING, () => { if (!$("where").value) changed(); }));
    $("label-search").addEventListener("input", () => this.#narrow());
    $("clear").addEventListener("click", () => { this.set({}); changed(); });
  }

  // what a gallery has to choose from
  learn(detail) {
    this.detail = detail;
    const { labels, attributes, scorers, class_head: classHead } = detail;
    $("labels").replaceChildren(...Object.entries(labels).map(([label, images]) => box("label", label, `${label}`, images)));
    const tells = isTelling(detail);
    $("label-box").hidden = !tells;
    $("label-search").parentElement.hidden = Object.keys(labels).length < MANY;
    $("attribute-boxes").replaceChildren(...attributes.map(attributeBox).filter(Boolean));
    $("where").closest("label").hidden = $("conditions-help").hidden = !attributes.length;
    const names = attributes.map(({ name }) => name).join(", ");
    say($("conditions-help"), attributes.length ? `Conditions such as year >= 2020 or site in (a, b), on: ${names}.` : "");
    $("scorer").replaceChildren(...scorers.map((each) => new Option(SCORERS[each] ?? each, each)));
    $("prefilter").closest("label").hidden = !classHead;
    $("group_by").replaceChildren(new Option("not at all", ""), ...(tells ? [new Option("by label", "label")] : []),
      ...attributes.map(({ name }) => new Option(`by ${name}`, name)));
    this.judge();
    this.set({});
  }

  // by what matches are judged: calibration and the pair head know pairs of two pictures
  judge({ several = false } = {}) {
    const { calibration, scorers } = this.detail;
    const isCalibrated = !calibration.reason && !several;
    $("min_probability").closest("label").hidden = !isCalibrated;
    $("max_distance").closest("label").hidden = isCalibrated;
    $("scorer").closest("label").hidden = scorers.length < 2 || several;
    say($("uncalibrated"), isCalibrated ? "" : several ? SEVERAL_TOLD : uncalibrated(this.detail));
    this.#tellSliders();
  }

  // as an address tells it
  set(told) {
    this.form.reset();
    for (const name of SINGLE) if (OURS.includes(name) && told[name] && this.form.elements[name]) setValue(this.form.elements[name], told[name]);
    for (const each of this.form.querySelectorAll("[name=label]")) each.checked = (told.label ?? []).includes(each.value);
    for (const text of told.attribute ?? []) setAttribute(this.form, text);
    this.#narrow();
    this.#tellSliders();
  }

  // as an address is to tell it: only what asks for something
  get told() {
    const data = new FormData(this.form);
    const found = {};
    for (const name of OURS) {
      if (SEVERAL.includes(name)) continue;
      const value = data.get(name);
      if (value && value !== ANY[name] && !(name === "k" && value === "12") && !(name === "scorer" && value === "distance")) found[name] = value;
    }
    if (this.form.elements.min_probability.closest("label").hidden) delete found.min_probability;
    else delete found.max_distance;
    if (this.form.elements.scorer.closest("label").hidden) delete found.scorer;
    return { ...found, label: data.getAll("label"), attribute: conditions(data).map((each) => JSON.stringify(each)) };
  }

  get k() { return Number($("k").value); }

  get isNarrow() {
    const { k, scorer, group_by: group, fold, label, attribute, include_judged: judged, ...others } = this.told;
    return label.length + attribute.length + Object.keys(others).length > 0;
  }

  put(form) { // the fields of a search
    const { label, attribute, ...single } = this.told;
    form.set("k", this.k);
    for (const [name, value] of Object.entries(single)) if (name !== "k") form.set(name, value);
    for (const each of label) form.append("label", each);
    if (attribute.length) form.append("where", `[${attribute.join()}]`);
    if (label.length) form.delete("prefilter"); // one of the two narrows
    if (single.group_by) form.set("group_size", Math.max(1, Math.min(GROUP_SIZE, Math.floor(MOST_SHOWN / this.k))));
    return form;
  }

  #tellSliders() {
    const { min_probability: least, max_distance: most } = this.form.elements;
    const told = { least: least.value === ANY.min_probability ? "any" : `at least ${inPercent(Number(least.value))}`,
      most: most.value === ANY.max_distance ? "any" : `at most ${Number(most.value).toFixed(2)}` };
    say($("least-told"), told.least);
    say($("most-told"), told.most);
    least.setAttribute("aria-valuetext", told.least);
    most.setAttribute("aria-valuetext", told.most);
    $("prefilter").disabled = Boolean(this.form.querySelector("[name=label]:checked"));
    const { label, attribute, ...others } = this.told;
    const chosen = label.length + attribute.length + Object.keys(others).filter((name) => name !== "k").length;
    say($("chosen"), chosen ? `${chosen} chosen` : "");
    $("clear").hidden = !chosen;
  }

  #narrow() {
    const typed = $("label-search").value.toLowerCase();
    for (const each of $("labels").children) each.hidden = !each.textContent.toLowerCase().includes(typed) && !each.firstChild.checked;
  }
}

// one label that all images have, such as the name of the only folder, tells nothing apart
function isTelling({ labels, images }) {
  const counts = Object.values(labels);
  return counts.length > 1 || (counts.length === 1 && counts[0] < images);
}

function uncalibrated(detail) {
  const { name, labels, calibration: { reason } } = detail;
  const told = `No verdicts and no probabilities: ${reason}.`;
  if (Object.keys(labels).length < 2) return told; // nothing could be fitted to a single one
  return `${told} The labels above are the gallery's own; “whyalike calibrate ${name}” fits both to them.`;
}

function box(name, value, text, images) {
  return make("label", { className: "check" }, make("input", { type: "checkbox", name, value }), make("span", {}, text),
    make("span", { className: "quiet" }, images.toLocaleString("en")));
}

function attributeBox({ name, numbers, images, least, greatest, values }) {
  const told = [];
  if (numbers === images && least !== greatest) {
    const field = (which, text, value) => make("label", {}, `${text} `, make("input", { type: "number", name: `${which}:${name}`, step: "any", placeholder: value }));
    told.push(make("div", { className: "range" }, field("from", "from", least), field("to", "to", greatest)));
  } else if (values && Object.keys(values).length <= FEW) {
    told.push(...Object.entries(values).map(([value, many]) => box(`is:${name}`, value, value, many)));
  }
  return told.length ? make("fieldset", {}, make("legend", {}, name), ...told) : null;
}

function conditions(data) {
  const found = [];
  for (const field of new Set(data.keys())) {
    const [which, name] = [field.slice(0, field.indexOf(":")), field.slice(field.indexOf(":") + 1)];
    const values = data.getAll(field).filter(Boolean);
    if (!values.length) continue;
    if (which === "is") found.push({ name, operator: "in", values });
    if (which === "from") found.push({ name, operator: ">=", values: values.map(Number) });
    if (which === "to") found.push({ name, operator: "<=", values: values.map(Number) });
  }
  return found;
}

function setValue(element, value) {
  if (element.type === "checkbox") element.checked = true;
  else element.value = value;
}

function setAttribute(form, text) {
  let told;
  try { told = JSON.parse(text); } catch { return; } // somebody else's address
  const which = { in: "is", ">=": "from", "<=": "to" }[told.operator];
  for (const each of form.elements) {
    if (each.name !== `${which}:${told.name}`) continue;
    if (which === "is") each.checked = told.values.includes(each.value);
    else [each.value] = told.values;
  }
}
