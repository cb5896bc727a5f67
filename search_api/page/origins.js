// Where the pictures of a gallery came from, and what of it was left out, with reasons.
import { button, make } from "./element.js";
import { ask, inGallery } from "./service.js";
import { count } from "./words.js";

const SHOWN = 3; // sources that are told at once
const PAGE = 50; // files that were left out, told at a time

export function origins(name) { // fills itself
  const root = make("div", { className: "origins" });
  Promise.all([ask(inGallery(name, "/builds")), ask(inGallery(name, `/unreadable?limit=${PAGE}`))])
    .then(([{ sources }, leftOut]) => root.replaceChildren(told(sources), leftOutOf(name, sources, leftOut)), (problem) => root.replaceChildren(make("p", { className: "problem" }, problem.message)));
  return root;
}

function told(sources) {
  if (!sources.length) return make("p", {}, "Its pictures were uploaded.");
  const shown = sources.slice(0, SHOWN).map((each) => make("li", {}, each));
  const rest = sources.length - shown.length;
  if (rest) shown.push(make("li", { className: "quiet", title: sources.slice(SHOWN).join("\n") }, `and ${count(rest, "other source")}`));
  return make("div", {}, make("p", {}, "Its pictures come from"), make("ul", { className: "sources" }, ...shown));
}

function leftOutOf(name, sources, { total, files, next_after: next }) {
  if (!total) return make("p", { className: "quiet" }, "Nothing was left out: every file could be read.");
  const list = make("ul", { className: "left-out" }, ...files.map((each) => file(each, sources)));
  return make("details", {}, make("summary", {}, `${count(total, "file was", "files were")} left out`), list, next ? more(name, sources, list, next) : null);
}

function file({ uri, reason }, sources) { // where it lies in its source
  const source = sources.find((each) => uri.startsWith(`${each}/`));
  return make("li", {}, make("span", { title: uri }, source ? uri.slice(source.length + 1) : uri), make("span", { className: "quiet" }, `: ${reason}`));
}

function more(name, sources, list, after) {
  const shown = button("Show more", async () => {
    const { files, next_after: next } = await ask(`${inGallery(name, "/unreadable")}?limit=${PAGE}&after=${encodeURIComponent(after)}`);
    list.append(...files.map((each) => file(each, sources)));
    if (next) shown.replaceWith(more(name, sources, list, next));
    else shown.remove();
    list.children[list.children.length - files.length].scrollIntoView({ block: "nearest" });
  });
  return shown;
}
