// What stands where results would: nothing asked yet, nothing found, a problem and what to do about it.
import { button, make } from "./element.js";

export function state(kind, title, text, ...actions) {
  const paragraphs = [text].flat().filter(Boolean).map((each) => (typeof each === "string" ? make("p", {}, each) : each));
  return make("div", { className: `state ${kind}` }, make("h3", {}, title), ...paragraphs,
    actions.filter(Boolean).length ? make("p", { className: "actions" }, ...actions.filter(Boolean)) : null);
}

export function problemState(problem, again = null) {
  const title = problem.title || "Something went wrong on this page";
  const actions = [
    problem.needsKey ? make("a", { className: "button", href: "/sign-in" }, "Sign in") : null,
    problem.again && again ? button(problem.again, again) : null,
  ];
  return state("refused", title, [problem.message, problem.advice], ...actions);
}

export function noGallery() {
  return state("empty", "There is no gallery yet", [
    "A gallery is the set of pictures that can be found. Index a folder of pictures on the machine that this service runs on, then reload this page:",
    make("p", {}, make("code", {}, "whyalike index FOLDER")),
    "Only to look around? Digits that need no download, with an encoder trained on the spot:",
    make("p", {}, make("code", {}, "whyalike demo")),
  ], button("Reload", () => location.reload()));
}

export function waiting(count) { // as many grey cards as matches are asked for
  return Array.from({ length: Math.min(count, 12) }, () => make("li", { className: "card waiting", "aria-hidden": "true" }, make("div"), make("span"), make("span")));
}
