// A picture that is asked with: a file of the person's, one that the service keeps or an image of the gallery, whole
// or a part of it. `shown` is what is seen of one that the service keeps; asked with is what it keeps.
import { imageAddress, load } from "./service.js";
import { nameOf } from "./words.js";

export const READABLE = /^image\//;

export class Picture {
  constructor({ file = null, imageId = null, queryId = null, shown = null, name = "", gallery = null, build = null, crop = null, masked = [] }) {
    Object.assign(this, { file, imageId, queryId, shown, name, gallery, build, crop, masked });
    Object.freeze(this);
  }

  static ofFile(file) { return new Picture({ file, name: file.name || "pasted picture" }); }

  static ofImage({ gallery, build }, { image_id: imageId, uri, label }) {
    return new Picture({ imageId, gallery, build, name: uri ? nameOf(uri) : label ?? `image ${imageId}` });
  }

  with(changed) { return new Picture({ ...this, ...changed }); }

  get isPart() { return Boolean(this.crop) || this.masked.length > 0; }

  get source() {
    const seen = this.file ?? this.shown;
    return seen ? objectAddress(seen) : imageAddress(this, this.imageId, "picture");
  }

  async detached() { // the picture itself, where it is an image of a gallery; null where it is gone
    if (!this.imageId) return this;
    const seen = await load(this.source).catch(() => null);
    return seen && this.with({ file: new File([seen], this.name || "picture.jpg", { type: "image/jpeg" }), imageId: null });
  }

  put(form, { field = "image", id = "image_id", part = true } = {}) {
    if (this.file) form.set(field, this.file, this.file.name || "pasted picture");
    else if (this.queryId) form.set(id.replace("image_id", "query_id"), this.queryId);
    else form.set(id, this.imageId);
    if (part && this.crop) form.set("crop", this.crop.join());
    if (part) for (const box of this.masked) form.append("masked", box.join());
    return form;
  }
}

const addresses = new WeakMap(); // one for each file, as long as the page is open
function objectAddress(file) {
  if (!addresses.has(file)) addresses.set(file, URL.createObjectURL(file));
  return addresses.get(file);
}

export function pictureIn(files) {
  return [...files].find((each) => READABLE.test(each.type) || !each.type) ?? null;
}

export async function cropped(source, [left, top, right, bottom]) { // what is shown of a picture that is cropped
  const image = new Image();
  image.src = source;
  await image.decode();
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * (right - left)));
  canvas.height = Math.max(1, Math.round(height * (bottom - top)));
  canvas.getContext("2d").drawImage(image, -Math.round(width * left), -Math.round(height * top));
  return canvas.toDataURL("image/jpeg", 0.92);
}
