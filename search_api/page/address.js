// The address of the page carries what is looked at, so that it can be kept, sent, and gone back from.
const files = new Map(); // pictures of this visit: they are in no address, because they are nobody else's
let listener = () => {};

export const SINGLE = ["view", "gallery", "image", "crop", "match", "a", "b", "k", "where", "scorer", "prefilter", "min_probability",
  "max_distance", "group_by", "fold", "include_judged", "listed"];
export const SEVERAL = ["label", "masked", "attribute", "also"];

// What is kept by the service for a while stands behind the #, which no browser sends: no log of a proxy has it.
export function read() {
  const given = new URLSearchParams(location.search);
  const hidden = new URLSearchParams(location.hash.slice(1));
  const found = Object.fromEntries(SINGLE.filter((name) => given.get(name)).map((name) => [name, given.get(name)]));
  for (const name of SEVERAL) if (given.has(name)) found[name] = given.getAll(name);
  const file = files.get(history.state?.file) ?? null;
  const own = (history.state?.also ?? []).map(([number, weight, queryId]) => ({ file: files.get(number) ?? null, weight, queryId }));
  const known = own.filter((each) => each.file);
  const here = new Set(known.map(({ queryId }) => queryId));
  const others = [...(found.also ?? []).map((text) => weighted(text, "imageId")), ...known,
    ...hidden.getAll("also").map((text) => weighted(text, "queryId")).filter((each) => !here.has(each?.queryId))].filter(Boolean);
  const kept = hidden.get("kept") ?? history.state?.kept ?? null;
  const lost = (Boolean(history.state?.file) && !file && !kept) || own.some((each) => !each.file && !each.queryId);
  return { ...found, file, kept, others, until: hidden.get("until") ?? history.state?.until ?? null, lost };
}

function weighted(text, name) { // somebody else may have written the address
  const place = text.lastIndexOf(",");
  const [id, weight] = [text.slice(0, place), Number(text.slice(place + 1))];
  return place > 0 && weight && Number.isFinite(weight) ? { [name]: id, weight } : null;
}

export function write(told, { query = null, replace = false } = {}) {
  const given = new URLSearchParams();
  for (const name of SINGLE) if (told[name]) given.set(name, told[name]);
  for (const name of SEVERAL) for (const each of told[name] ?? []) given.append(name, each);
  const text = given.toString();
  const address = (text ? `?${text}` : location.pathname) + fragment(query);
  const state = stateOf(query);
  const isSame = address === (location.search || location.pathname) + location.hash && JSON.stringify(state) === JSON.stringify(history.state ?? stateOf(null));
  if (replace || isSame) history.replaceState(state, "", address);
  else history.pushState(state, "", address);
}

function stateOf(query) {
  const also = (query?.others ?? []).filter(({ picture }) => picture.file).map(({ picture, weight }) => [numberOf(picture.file), weight, picture.queryId]);
  return { file: fileName(query?.picture.file), kept: query?.picture.queryId ?? null, until: query?.until ?? null, also };
}

function fragment(query) {
  if (!query || query.isPrivate || !query.queryIds.length) return "";
  const hidden = new URLSearchParams();
  if (query.picture.queryId) hidden.set("kept", query.picture.queryId);
  for (const { picture, weight } of query.others) if (picture.queryId) hidden.append("also", `${picture.queryId},${weight}`);
  if (query.until) hidden.set("until", query.until);
  return `#${hidden}`;
}

export function onReturn(work) { listener = work; }

addEventListener("popstate", () => listener(read()));

function numberOf(file) {
  for (const [number, kept] of files) if (kept === file) return number;
  const number = `${Date.now()}-${files.size}`; // another one after a reload, when the map is empty again
  files.set(number, file);
  return number;
}

export const fileName = (file) => (file ? numberOf(file) : null);
