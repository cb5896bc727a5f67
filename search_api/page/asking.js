// The picture to ask with: dropped, pasted or chosen, and the part of it that counts.
import { $, later, say } from "./element.js";
import { Picture, pictureIn } from "./picture.js";
import { Regions } from "./regions.js";

const SETTLING = 350; // milliseconds after the last press of an arrow key
const UNSHOWN = { // by where the picture comes from
  file: "This browser cannot show this kind of picture; the service may read it all the same.",
  image: "The picture of this image cannot be shown.",
  unreadable: "This file is no picture that can be read.",
};
const HINTS = {
  crop: "Drag over the part to search with. By keyboard: Enter, then the arrow keys.",
  masked: "Drag over what should not count. By keyboard: Enter, then the arrow keys.",
};

export class AskPanel {
  // `asked` is told the picture, or null, whenever a person has changed it
  constructor(asked) {
    Object.assign(this, { asked, picture: null, isSeen: true, takes: () => true });
    const settled = later(SETTLING, (part) => { if (this.picture) asked(this.picture.with(part)); });
    this.regions = new Regions($("asked-regions"), settled);
    $("file").addEventListener("change", () => { this.receive($("file").files); $("file").value = ""; });
    for (const mode of ["crop", "masked"]) $(`draw-${mode}`).addEventListener("click", () => this.#draw(this.regions.mode === mode ? null : mode));
    $("whole").addEventListener("click", () => asked(this.picture.with({ crop: null, masked: [] })));
    $("other").addEventListener("click", () => asked(null));
    $("asked").addEventListener("load", () => { $("asked-frame").style.setProperty("--ratio", $("asked").naturalWidth / $("asked").naturalHeight); });
    $("asked").addEventListener("error", () => this.#unshown());
    for (const kind of ["dragover", "dragleave", "drop"]) addEventListener(kind, (event) => this.#drag(kind, event));
    addEventListener("paste", (event) => { if (this.takes() && event.clipboardData.files.length) this.receive(event.clipboardData.files); });
  }

  receive(files) {
    if (!files.length) return;
    const file = pictureIn(files);
    if (file) this.asked(Picture.ofFile(file));
    else this.refused?.(files[0].name);
  }

  show(picture) {
    if (picture?.source !== this.picture?.source) {
      this.isSeen = true;
      say($("unshown"), "");
    }
    this.picture = picture;
    $("drop").classList.toggle("full", Boolean(picture));
    $("part-tools").hidden = !picture;
    this.#offer();
    say($("choose-told"), picture ? "Replace it" : "Choose a picture");
    if (!picture) return this.#draw(null);
    if ($("asked").getAttribute("src") !== picture.source) $("asked").src = picture.source;
    $("asked").alt = `The picture asked with: ${picture.name}`;
    this.regions.show(picture);
    $("whole").hidden = !picture.isPart;
  }

  unreadable() { // says the service: there is no part of it to be drawn, and nothing to be asked with beside it
    this.#unseen();
    $("add-one").closest("label").hidden = true;
    say($("unshown"), UNSHOWN.unreadable);
  }

  #unshown() {
    if (!this.isSeen) return; // the service has said more
    this.#unseen();
    say($("unshown"), this.picture?.file ? UNSHOWN.file : UNSHOWN.image);
  }

  #unseen() {
    this.isSeen = false;
    this.#draw(null);
    this.#offer();
  }

  #offer() { // parts are drawn on what is seen
    $("asked-frame").hidden = !this.picture || !this.isSeen;
    for (const id of ["draw-crop", "draw-masked"]) $(id).hidden = !this.isSeen;
  }

  #draw(mode) {
    $("drop").classList.toggle("drawing", Boolean(mode));
    this.regions.draws(mode);
    for (const each of ["crop", "masked"]) $(`draw-${each}`).setAttribute("aria-pressed", each === mode);
    say($("part-hint"), mode ? HINTS[mode] : "");
    if (mode) $("asked-regions").focus({ preventScroll: true });
  }

  #drag(kind, event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && this.takes()) this.receive(event.dataTransfer.files);
  }
}
