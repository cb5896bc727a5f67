// A search that is shared: pictures of one's own are kept by the service for a while, and a link opens it again.
import { $, say } from "./element.js";
import { inTime } from "./words.js";

const OPEN = "This link opens the same search for whoever may use this service.";
const PARTLY = "Not all of your pictures are kept, so no link opens this search yet. Keep them all for a while, and whoever has the link can see them; or delete what is kept.";
const PRIVATE = "Your picture is kept by nobody. For a link that opens this search, the service keeps it for a while; whoever has the link can see it.";
const SEEN = "Whoever has the link and may use this service can see it until then, or until it is deleted.";

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
    const { isPrivate } = query;
    const isKept = query.queryIds.length > 0;
    $("keeping").hidden = !isPrivate;
    $("shared").hidden = isPrivate && !isKept;
    $("link").closest("label").hidden = $("copy").hidden = isPrivate;
    $("forget").hidden = !isKept; // as long as any of them is kept
    say($("share-told"), isKept ? (isPrivate ? PARTLY : `The picture is kept ${inTime(query.until)}. ${SEEN}`) : isPrivate ? PRIVATE : OPEN);
    $("link").value = location.href;
  }

  async #try(meanwhile, work, done) {
    say($("share-status"), meanwhile);
    try {
      await work();
      say($("share-status"), done);
      ($("copy").hidden ? $("share").querySelector("summary") : $("copy")).focus(); // what was pressed is gone
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
