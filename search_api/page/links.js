// Lines between the spots of two pictures that answer each other, drawn over both.
export const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c6bb1"]; // Okabe and Ito's
const NEAR = 1 / 6; // of a picture: lines whose ends both lie nearer than this say the same
const [THINNEST, THICKEST, HALO, DOT, BOW] = [2, 7, 3, 10, 9]; // pixels, on pictures of ROOMY pixels
const [ROOMY, SMALLEST] = [360, 0.6]; // on narrower ones all is drawn smaller, down to this part

export function drawLinks(svg, images, correspondences) {
  const origin = svg.getBoundingClientRect();
  const [query, matched] = images.map((image) => shownIn(image, origin));
  if (!query || !matched) return svg.replaceChildren(); // a picture that is still loading has no size
  const all = correspondences.map((each) => ({ each, ends: [spot(query, each.query.box), spot(matched, each.matched.box)] }));
  const kept = apart(all, [query.width, matched.width]);
  const size = Math.min(1, Math.max(SMALLEST, Math.min(query.width, matched.width) / ROOMY));
  const greatest = kept[0]?.each.contribution ?? 1;
  const lines = kept.map(({ each, ends }, place) => {
    const width = THINNEST + ((size * THICKEST - THINNEST) * each.contribution) / greatest;
    const d = arc(ends, size * (BOW + BOW * Math.floor(place / 2)) * (place % 2 ? 1 : -1));
    return [
      made("path", { d, fill: "none", stroke: "#fff", "stroke-width": width + HALO }),
      made("path", { d, fill: "none", stroke: COLOURS[place], "stroke-width": width }),
    ];
  });
  const dots = kept.map(({ ends }, place) => ends.flatMap(([x, y]) => [
    made("circle", { cx: x, cy: y, r: size * DOT, fill: COLOURS[place], stroke: "#fff", "stroke-width": HALO / 2 }),
    made("text", { x, y, fill: "#fff", "text-anchor": "middle", "dominant-baseline": "central", "font-size": `${size}em` }, place + 1),
  ]));
  svg.replaceChildren(...lines.reverse().flat(), ...dots.reverse().flat()); // the strongest on top
}

function shownIn(image, origin) { // the picture within its box, where it keeps its shape
  const { left, top, width, height } = image.getBoundingClientRect();
  if (!image.complete || !image.naturalWidth) return null;
  const scale = Math.min(width / image.naturalWidth, height / image.naturalHeight);
  const [across, down] = [image.naturalWidth * scale, image.naturalHeight * scale];
  return { left: left - origin.left + (width - across) / 2, top: top - origin.top + (height - down) / 2, width: across, height: down };
}

const spot = ({ left, top, width, height }, [west, north, east, south]) =>
  [left + (width * (west + east)) / 2, top + (height * (north + south)) / 2];

function apart(all, widths) { // the strongest come first; one beside a stronger one is left out
  const kept = [];
  for (const one of all) {
    const beside = kept.some(({ ends }) => ends.every(([x, y], side) =>
      Math.hypot(x - one.ends[side][0], y - one.ends[side][1]) < NEAR * widths[side]));
    if (!beside && kept.length < COLOURS.length) kept.push(one);
  }
  return kept;
}

const arc = ([[x, y], [toX, toY]], rise) => `M${x} ${y}Q${(x + toX) / 2} ${(y + toY) / 2 + 2 * rise} ${toX} ${toY}`;

function made(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}
