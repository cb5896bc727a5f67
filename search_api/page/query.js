// What is asked with: a picture, and others that matches are to be like as well, or unlike.
import { Picture } from "./picture.js";
import { nameOf } from "./words.js";

export class Query {
  // `others` are {picture, weight}, negative where what is unlike the picture is asked for; `until` is when
  // those that are kept are kept no more
  constructor(picture, others = [], until = null) {
    Object.assign(this, { picture, others, until });
    Object.freeze(this);
  }

  // as an address tells it; `place` is the gallery, `names` what images of it are called, `shown` what is seen of
  // those that are kept
  static told(told, { place, names, shown }) {
    const of = ({ file = null, queryId = null, imageId = null }) => new Picture({ ...place, file, queryId, imageId, shown: shown.get(queryId) ?? null, name: file?.name ?? names.get(String(imageId)) ?? "" });
    const part = { crop: told.crop?.split(",").map(Number) ?? null, masked: (told.masked ?? []).map((each) => each.split(",").map(Number)) };
    if (!told.file && !told.kept && !told.image) return null;
    const first = told.file || told.kept ? of({ file: told.file, queryId: told.kept }) : of({ imageId: told.image });
    return new Query(first.with(part), told.others.map(({ weight, ...named }) => ({ picture: of(named), weight })), told.until);
  }

  static idsIn(told) { // of pictures that an address asks with and that are not here
    const first = told.file ? [] : [told.kept];
    return [...first, ...told.others.map(({ file, queryId }) => (file ? null : queryId))].filter(Boolean);
  }

  get pictures() { return [this.picture, ...this.others.map(({ picture }) => picture)]; }

  get isSeveral() { return this.others.length > 0; }

  get isPrivate() { return this.pictures.some(({ file, queryId }) => file && !queryId); } // nobody else can ask so

  get queryIds() { return this.pictures.map(({ queryId }) => queryId).filter(Boolean); }

  // of what this visit had kept: of pictures whose file is here; the others are those of who sent the link
  get ownIds() { return this.pictures.filter(({ file }) => file).map(({ queryId }) => queryId).filter(Boolean); }

  with(others) { return new Query(this.picture, others, this.until); }

  of(picture) { return new Query(picture, this.others, this.until); }

  weightOf(imageId) {
    const isIt = (picture) => String(picture.imageId) === String(imageId);
    return isIt(this.picture) ? null : this.others.find(({ picture }) => isIt(picture))?.weight ?? 0; // null: it is the picture itself
  }

  weigh(picture, weight) { // of an image of the gallery; 0 takes it out
    const others = this.others.filter((each) => String(each.picture.imageId) !== String(picture.imageId));
    return this.with(weight ? [...others, { picture, weight }] : others);
  }

  named(answer) { // as the answer calls pictures of which only an id was known
    if (this.pictures.every(({ name }) => name)) return this;
    const told = answer.queries ?? [answer.query];
    const named = (picture, place) => (picture.name ? picture : picture.with({ name: nameOf(told[place].uri) }));
    return new Query(named(this.picture, 0), this.others.map(({ picture, weight }, place) => ({ picture: named(picture, place + 1), weight })), this.until);
  }

  kept(answer) { // with the ids that it can be asked by until then
    const told = answer.queries ?? [answer.query];
    const pictures = this.pictures.map((each, place) => (each.file ? each.with({ queryId: told[place].query_id ?? null }) : each));
    return new Query(pictures[0], this.others.map(({ weight }, place) => ({ picture: pictures[place + 1], weight })), told.find(({ kept_until: until }) => until)?.kept_until ?? null);
  }

  forgotten() { // what is left when nothing is kept any more: files of this visit, and images of the gallery
    const left = [{ picture: this.picture, weight: 1 }, ...this.others].filter(({ picture }) => picture.file || picture.imageId)
      .map(({ picture, weight }) => ({ picture: picture.with({ queryId: null }), weight }));
    return left.length && left[0].weight > 0 ? new Query(left[0].picture, left.slice(1)) : null;
  }

  async detached() { // another gallery does not know an image of this one: it is asked with the picture
    const moved = await Promise.all(this.pictures.map((each) => each.detached()));
    const others = this.others.map(({ weight }, place) => ({ picture: moved[place + 1], weight })).filter(({ picture }) => picture);
    return moved[0] ? new Query(moved[0], others, this.until) : null;
  }

  // as an address tells it; files are in no address
  get params() {
    const { imageId, crop, masked } = this.picture;
    const also = this.others.filter(({ picture }) => picture.imageId).map(({ picture, weight }) => `${picture.imageId},${weight}`);
    return { image: imageId, crop: crop?.join(), masked: masked.map((box) => box.join()), also };
  }

  put(form) {
    if (!this.isSeveral) return this.picture.put(form);
    let uploads = 0;
    const told = [{ picture: this.picture, weight: 1 }, ...this.others].map(({ picture, weight }) => {
      if (picture.file) form.append("image", picture.file, picture.file.name || "pasted picture");
      const named = picture.file ? { upload: uploads++ } : picture.queryId ? { query_id: picture.queryId } : { image_id: Number(picture.imageId) };
      return { ...named, weight, crop: picture.crop?.join() ?? null, masked: picture.masked.map((box) => box.join()) };
    });
    form.set("queries", JSON.stringify(told));
    return form;
  }
}
