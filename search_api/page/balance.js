// What orange adds to the number that is explained and blue takes from it, or the other way round, in a sentence.
const NUMBERS = { cosine: "the cosine", "pair-head": "the pair head’s score" };
const STARTS = { threshold: "Measured from where the verdict turns", gallery: "Measured from what is usual in this gallery" };

// `first` is the colour that is named first; nothing is said where its maps are blank or add up to no number
export function balance({ evidence: { explained, balance: found } }, first) {
  if (!found) return "";
  const sums = { orange: found.factual, blue: found.counterfactual };
  if (!sums[first]) return "";
  const adding = found.adds === "factual" ? "orange" : "blue";
  const second = first === "orange" ? "blue" : "orange";
  const does = (colour) => (colour === adding ? ["adds", "to"] : ["takes", "from"]);
  const part = (colour, number) => `${colour} ${does(colour)[0]} ${shown(sums[colour])} ${does(colour)[1]} ${number}`;
  const both = `${part(first, NUMBERS[explained.of])} and ${part(second, "it")} (means of both pictures)`;
  if (!STARTS[explained.baseline_from]) return `${both[0].toUpperCase()}${both.slice(1)}.`;
  const taking = adding === "orange" ? "blue" : "orange";
  const left = shown(sums[adding]) - shown(sums[taking]); // as they are told, so that a person can check it
  return `${STARTS[explained.baseline_from]}, ${both}: that leaves it ${shown(Math.abs(left))} ${left < 0 ? "below" : "above"}.`;
}

const shown = (number) => number.toFixed(2);
