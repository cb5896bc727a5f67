// The address of the page carries what is looked at, so that it can be kept, sent, and gone back from.
const files = new Map(); // pictures of this visit: they are in no address, because they are nobody else's
let listener = () => {};

export const SINGLE = ["view", "gallery", "image", "crop", "match", "a", "b", "k", "where", "scorer", "prefilter", "min_probability",
  "max_distance", "group_by", "fold", "include_judged"];
export const SEVERAL = ["label", "masked", "attribute"];

export function read() {
  const given = new URLSearchParams(location.search);
  const found = Object.fromEntries(SINGLE.filter((name) => given.get(name)).map((name) => [name, given.get(name)]));
  for (const name of SEVERAL) if (given.has(name)) found[name] = given.getAll(name);
  return { ...found, file: files.get(history.state?.file) ?? null, lost: Boolean(history.state?.file) && !files.has(history.state.file) };
}

export function write(told, { file = null, replace = false } = {}) {
  const given = new URLSearchParams();
  for (const name of SINGLE) if (told[name]) given.set(name, told[name]);
  for (const name of SEVERAL) for (const each of told[name] ?? []) given.append(name, each);
  const query = given.toString();
  const address = query ? `?${query}` : location.pathname;
  const state = { file: file ? numberOf(file) : null };
  const isSame = query === location.search.slice(1) && state.file === (history.state?.file ?? null);
  if (replace || isSame) history.replaceState(state, "", address);
  else history.pushState(state, "", address);
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
