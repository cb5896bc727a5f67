// What tells clusters apart: a colour and a shape each, so that nobody needs to see colours.
import { COLOURS } from "./links.js";

const SHAPES = ["circle", "square", "triangle", "diamond", "wedge", "cross"]; // as many as are coprime to the colours: 42 pairs
const CORNERS = { // of shapes around 0, 0 that reach to about 1, of about the same area
  square: [[-0.88, -0.88], [0.88, -0.88], [0.88, 0.88], [-0.88, 0.88]],
  triangle: [[0, -1.2], [1.15, 0.85], [-1.15, 0.85]],
  diamond: [[0, -1.3], [1.1, 0], [0, 1.3], [-1.1, 0]],
  wedge: [[0, 1.2], [1.15, -0.85], [-1.15, -0.85]],
  cross: [[-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [-0.4, 1.2], [-0.4, 0.4], [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4]],
};
const SIDE = 14; // pixels of a swatch
const NS = "http://www.w3.org/2000/svg";

export const markOf = (cluster) => ({ colour: COLOURS[cluster % COLOURS.length], shape: SHAPES[cluster % SHAPES.length] });

export function trace(context, shape, [x, y], size) { // the path of the shape, to be filled
  context.beginPath();
  if (shape === "circle") return context.arc(x, y, size, 0, 2 * Math.PI);
  for (const [across, down] of CORNERS[shape]) context.lineTo(x + across * size, y + down * size);
  return context.closePath();
}

export function swatch(cluster) { // the mark beside the cluster's name
  const { colour, shape } = markOf(cluster);
  const drawn = made("svg", { class: "swatch", viewBox: "-1.4 -1.4 2.8 2.8", width: SIDE, height: SIDE, "aria-hidden": "true" });
  drawn.append(shape === "circle" ? made("circle", { r: 1, fill: colour }) : made("polygon", { points: CORNERS[shape].map((each) => each.join()).join(" "), fill: colour }));
  return drawn;
}

function made(name, attributes) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
