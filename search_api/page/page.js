// The page that people use: asks the service, and shows what it answers. No text of theirs becomes markup.
import { $, make, say } from "./element.js";
import * as address from "./address.js";
import { AtlasView } from "./atlas.js";
import { ComparisonView } from "./comparison.js";
import { PlacesView } from "./places.js";
import { SearchView } from "./search.js";
import { ask, inGallery } from "./service.js";
import { noGallery, problemState } from "./states.js";
import { count } from "./words.js";

const TITLES = { search: "Search", compare: "Compare", atlas: "Map", places: "Galleries" };
let here = null; // the gallery that is looked into: {gallery, build}
let detail = null; // and all that is told of it
let galleries = [];

const place = () => here;
const views = {
  search: new SearchView(place),
  compare: new ComparisonView(place),
  atlas: new AtlasView(place, ({ image_id: image }) => { address.write({ gallery: here.gallery, image }); render().catch(fail); }),
  places: new PlacesView({
    look: (name, view) => enter(name, view), changed: () => list().catch(() => {}),
    list: (listed) => { address.write({ view: "places", gallery: here?.gallery, listed }); render().catch(fail); },
    similar: (gallery, { image_id: image }) => { address.write({ gallery, image }); render().catch(fail); },
  }),
};

async function list() {
  ({ galleries } = await ask("/v1/galleries"));
  $("gallery").replaceChildren(...galleries.map((each) => new Option(`${each.name} (${each.images.toLocaleString("en")})`, each.name)));
  $("gallery").closest("label").hidden = galleries.length < 2;
  if (here) $("gallery").value = here.gallery;
}

async function lookInto(name) {
  detail = await ask(inGallery(name));
  here = { gallery: detail.name, build: detail.build };
  $("gallery").value = name;
  views.search.learn(detail);
  say($("about"), `${detail.name}: ${count(detail.images, "image")}, build ${detail.build}, encoder ${detail.encoder.name}.`);
}

function chosenGallery(told) {
  const names = galleries.map(({ name }) => name);
  return [told.gallery, here?.gallery, "default"].find((name) => names.includes(name)) ?? names[0];
}

// what an address tells is what is shown
async function render(told = address.read()) {
  const view = TITLES[told.view] ? told.view : "search";
  turn(view);
  if (!galleries.length) await list();
  if (!galleries.length && view !== "places") return nothingYet();
  $("stopped").replaceChildren();
  if (galleries.length && chosenGallery(told) !== here?.gallery) await lookInto(chosenGallery(told));
  return views[view].show(told);
}

function turn(view) {
  for (const each of Object.keys(TITLES)) $(each).hidden = each !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = view === "search" ? "WhyAlike" : `${TITLES[view]} – WhyAlike`;
  if (view !== "places") views.places.hide();
}

function stop(state) { // there is nothing that any view could show
  for (const each of Object.keys(TITLES)) $(each).hidden = true;
  $("stopped").replaceChildren(state);
}

const nothingYet = () => stop(noGallery());
const fail = (problem) => { console.error(problem); stop(problemState(problem, () => render().catch(fail))); };

function go(view) {
  views.search.leave();
  if (view === "search") address.write(views.search.params);
  else address.write({ view, gallery: here?.gallery });
  return render().catch(fail);
}

async function enter(name, view) {
  try {
    await views.search.detach();
    await lookInto(name);
    await go(view);
  } catch (problem) { fail(problem); }
}

async function tellSession() {
  const { authentication, name, scope } = await ask("/v1/session");
  if (authentication === "off") return;
  $("session").replaceChildren(make("a", { href: "/sign-in" }, name ? `Signed in: ${name} (${scope})` : "Sign in"));
}

for (const link of document.querySelectorAll("nav a")) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab of its own
    event.preventDefault();
    go(link.dataset.view);
  });
}
$("gallery").addEventListener("change", () => enter($("gallery").value, address.read().view ?? "search"));
address.onReturn((told) => render(told).catch(fail));
render().catch(fail);
tellSession().catch(() => {}); // whether somebody is signed in is no reason to show nothing
