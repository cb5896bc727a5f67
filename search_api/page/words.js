// Numbers in words, and as people read them.
const [ALMOST_SURELY, PROBABLY] = [0.95, 0.75]; // of a probability: from where on the words are said

const CLOSENESS = { close: "Very close", usual: "As close as usual", distant: "Not so close", far: "Far" }; // among the nearest pairs of the gallery

export function inWords({ distance, similarity, probability, verdict, closeness }) {
  if (distance === 0) return "The same picture";
  if (!verdict) return CLOSENESS[closeness] ?? `Similarity ${similarity.toFixed(2)}`; // nothing was fitted, so nothing is claimed
  const sure = verdict === "same" ? probability : 1 - probability;
  const how = sure > ALMOST_SURELY ? "Almost surely" : sure > PROBABLY ? "Probably" : "Perhaps";
  return `${how} ${verdict === "same" ? "the same" : verdict}`;
}

export function inPercent(probability) {
  if (probability > 0.99) return "over 99\u00a0%"; // an estimate is never certain
  return probability < 0.01 ? "under 1\u00a0%" : `${Math.round(probability * 100)}\u00a0%`;
}

export function inNumbers({ distance, probability, closer_than_nearest: nearest }) {
  const place = nearest === null || nearest === undefined ? "" : `closer than ${Math.floor(100 * nearest + 1e-6)}\u00a0% of nearest pairs, `;
  const chance = probability === null ? place : `${inPercent(probability)} same, `;
  return `${chance}distance\u00a0${distance.toFixed(2)}`;
}

export const duration = (ms) => (ms < 1000 ? `${Math.round(ms)}\u00a0ms` : `${(ms / 1000).toFixed(1)}\u00a0s`);

export const nameOf = (uri) => (uri ?? "").split(/[\\/]/).pop() || "a picture";

// a sentence of the service on the query and its match, for two pictures that are called otherwise
export function called(text, { query, matched }) {
  return text.replace(/\bthe query\b/g, query).replace(/\bthe match\b/g, matched);
}

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

export const shares = (box) => box.map((edge) => `${Math.round(edge * 100)}\u00a0%`);

export function placeOf([left, top, right, bottom]) { // of a spot, by its centre, in the words of the reason
  const third = (share) => Math.min(2, Math.max(0, Math.floor(share * 3)));
  const [across, down] = [third((left + right) / 2), third((top + bottom) / 2)];
  if (across === 1 && down === 1) return "centre";
  return `${["upper", "centre", "lower"][down]} ${["left", "centre", "right"][across]}`;
}

export function timeLeft(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 60) return `about ${Math.max(1, Math.round(seconds))}\u00a0s left`;
  return seconds < 3600 ? `about ${Math.round(seconds / 60)}\u00a0min left` : `about ${(seconds / 3600).toFixed(1)}\u00a0h left`;
}

export function inTime(until) { // how long something is kept; an address may tell nothing, or nonsense
  const at = new Date(until ?? "");
  return Number.isNaN(at.getTime()) ? "for a while" : `until ${at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`;
}
