// A search that is shared: pictures of one's own are kept by the service for a while, and a link opens it again.
import { $, say } from "./element.js";

const OPEN = "This link opens the same search for whoever may use this service.";
const PRIVATE = "Your picture is kept by nobody. For a link that opens this search, the service keeps it for a while; whoever has the link can see it.";

export class Sharing {
  // `keep(seconds)` and `forget()` do what a person asks for, and then the query is shown again
  constructor({ keep, forget }) {
    Object.assign(this, { query: null });
    $("keep").addEventListener("click", () => this.#try("Keeping it …", () => keep(Number($("keep-for").value)), "Kept."));
    $("forget").addEventListener("click", () => this.#try("Deleting it …", forget, "Deleted: the link opens nothing any more."));
    $("copy").addEventListener("click", () => this.#copy());
  }

  show(query) {
    if (query !== this.query) say($("share-status"), "");
    this.query = query;
    $("share").hidden = !query;
    if (!query) return;
    const isKept = !query.isPrivate && query.queryIds.length > 0;
    $("keeping").hidden = !query.isPrivate;
    $("shared").hidden = query.isPrivate;
    $("forget").hidden = !isKept;
    say($("share-told"), query.isPrivate ? PRIVATE : isKept ? keptUntil(query.until) : OPEN);
    $("link").value = location.href;
  }

  async #try(meanwhile, work, done) {
    say($("share-status"), meanwhile);
    try {
      await work();
      say($("share-status"), done);
      ($("shared").hidden ? $("share").querySelector("summary") : $("copy")).focus(); // what was pressed is gone
    } catch (problem) {
      say($("share-status"), [problem.message, problem.advice].filter(Boolean).join(" "), { problem: true });
    }
  }

  async #copy() {
    $("link").select();
    try {
      await navigator.clipboard.writeText($("link").value);
      say($("share-status"), "The link is copied.");
    } catch { // by HTTP, or where a person has not allowed it
      say($("share-status"), "The link is marked: copy it with Ctrl+C.");
    }
  }
}

function keptUntil(until) {
  const at = new Date(until ?? "");
  const when = Number.isNaN(at.getTime()) ? "for a while" : `until ${at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`;
  return `The picture is kept ${when}. Whoever has the link and may use this service can see it until then, or until it is deleted.`;
}
