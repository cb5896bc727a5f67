// Where the pictures of a gallery came from, and what of it was left out, with reasons.
import { button, make, say } from "./element.js";
import { ask, inGallery } from "./service.js";
import { count } from "./words.js";

const SHOWN = 3; // sources that are told at once
const PAGE = 50; // files that were left out, told at a time

export function origins(name, { open = false } = {}) { // fills itself whenever it is opened: of many galleries few are
  const content = make("div", { className: "choices" });
  const fill = () => Promise.all([ask(inGallery(name, "/builds")), ask(inGallery(name, `/unreadable?limit=${PAGE}`))])
    .then(([{ sources }, leftOut]) => content.replaceChildren(told(sources), leftOutOf(name, sources, leftOut)), (problem) => content.replaceChildren(make("p", { className: "problem" }, problem.message)));
  const root = make("details", { className: "origins", open, ontoggle: () => { if (root.open) fill(); } }, make("summary", {}, "Where its pictures came from"), content);
  root.dataset.gallery = name;
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
  return make("div", {}, make("p", {}, `${count(total, "file was", "files were")} left out`), list, next ? more(name, sources, list, next) : null);
}

function file({ uri, reason }, sources) { // where it lies in its source
  const source = sources.find((each) => uri.startsWith(`${each}/`));
  return make("li", {}, make("span", { title: uri }, source ? uri.slice(source.length + 1) : uri), make("span", { className: "quiet" }, `: ${reason}`));
}

function more(name, sources, list, after) {
  const status = make("span", { role: "status" });
  const shown = button("Show more", async () => {
    try {
      const { files, next_after: next } = await ask(`${inGallery(name, "/unreadable")}?limit=${PAGE}&after=${encodeURIComponent(after)}`);
      list.append(...files.map((each) => file(each, sources)));
      if (next) row.replaceWith(more(name, sources, list, next));
      else row.remove();
      list.children[list.children.length - files.length]?.scrollIntoView({ block: "nearest" });
    } catch (problem) {
      say(status, [problem.message, problem.advice].filter(Boolean).join(" "), { problem: true });
    }
  });
  const row = make("p", { className: "actions" }, shown, status);
  return row;
}
