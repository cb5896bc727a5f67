// The factual map of a match over the picture of its card: small, so that a look at all cards tells why.
import { make } from "./element.js";

const HOT = [255, 165, 60]; // the hot end of the orange that the service paints with (explain/colours.py)
const COLD = [190, 60, 20];
const OPACITY = 0.82; // of full heat, and how it rises with heat, as explain/overlay.py has them
const RISE = 0.75;

// `fit` says what the encoder sees of a picture, which the card shows the largest centred square of: just that
// ("crop"), or a square around the whole picture ("pad"). Full heat is the hottest spot of this picture alone,
// beside which there is no other here.
export function heatOf({ evidence }, fit, picture) {
  const { factual: grid, counterfactual } = evidence.matched;
  const canvas = make("canvas", { className: "heat", width: grid[0].length, height: grid.length, ariaHidden: "true" });
  paint(canvas, grid, Math.max(...grid.flat(), ...counterfactual.flat()));
  const fitted = () => {
    const [shorter, longer] = [picture.naturalWidth, picture.naturalHeight].sort((a, b) => a - b);
    canvas.style.transform = `scale(${fit === "pad" && shorter ? longer / shorter : 1})`;
  };
  picture.addEventListener("load", fitted);
  fitted();
  return canvas;
}

function paint(canvas, grid, full) {
  const drawing = canvas.getContext("2d");
  const image = drawing.createImageData(canvas.width, canvas.height);
  grid.flat().forEach((value, at) => {
    const heat = full > 0 ? Math.min(1, value / full) : 0;
    const colour = COLD.map((cold, channel) => cold + heat * (HOT[channel] - cold));
    image.data.set([...colour, 255 * OPACITY * heat ** RISE], 4 * at);
  });
  drawing.putImageData(image, 0, 0);
}
