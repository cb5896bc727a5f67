// Which spot of one picture answers a spot of the other: fetched once with the pair, looked up here.
const HEAT = [0, 158, 115]; // Okabe and Ito's green: neither of the two colours that maps are painted in
const STRONGEST = 0.8; // of opacity

export class Spots {
  // by the contributions of a comparison: what each two cells add, and how alike they are; what two of them add is
  // told as a multiple of what any two of the `seen_pairs` add on average
  constructor({ query, matched, data, cosines, seen_pairs: seenPairs }, cosine) {
    this.grids = { query, matched };
    Object.assign(this, { cosine, seenPairs });
    this.added = floats(data);
    this.alike = floats(cosines);
  }

  cells(side) { return this.grids[side].rows * this.grids[side].columns; }

  at(side, [x, y]) { // the cell below a place in shares of the picture, or null outside of the grid
    const { rows, columns, box: [left, top, right, bottom] } = this.grids[side];
    const [column, row] = [Math.floor(((x - left) / (right - left)) * columns), Math.floor(((y - top) / (bottom - top)) * rows)];
    return column >= 0 && column < columns && row >= 0 && row < rows ? row * columns + column : null;
  }

  box(side, cell) { // of the picture, without padding
    const { rows, columns, box: [left, top, right, bottom] } = this.grids[side];
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    const [across, down] = [(right - left) / columns, (bottom - top) / rows];
    const edges = [left + column * across, top + row * down, left + (column + 1) * across, top + (row + 1) * down];
    return edges.map((edge) => Math.min(1, Math.max(0, edge)));
  }

  isSeen(side, cell) { // whether any of it lies in the picture; what is ignored there can be pointed at, too
    const [left, top, right, bottom] = this.box(side, cell);
    return right > left && bottom > top;
  }

  step(side, cell, [across, down]) { // the cell beside, which stays where the picture ends
    const { rows, columns } = this.grids[side];
    const [row, column] = [Math.floor(cell / columns) + down, (cell % columns) + across];
    const next = Math.min(rows - 1, Math.max(0, row)) * columns + Math.min(columns - 1, Math.max(0, column));
    return this.isSeen(side, next) ? next : cell;
  }

  // how alike every cell of the other picture is to this one, the most alike, and what the two add
  answer(side, cell) {
    const other = side === "query" ? "matched" : "query";
    const alike = this.#row(this.alike, side, cell);
    const best = alike.reduce((found, value, at) => (this.isSeen(other, at) && (found === null || value > alike[found]) ? at : found), null);
    const added = best === null ? 0 : this.#row(this.added, side, cell)[best];
    return { side: other, cell: best, alike, cosine: best === null ? 0 : alike[best], times: this.cosine > 0 ? (added / this.cosine) * this.seenPairs : null };
  }

  #row(matrix, side, cell) {
    const width = this.cells("matched");
    if (side === "query") return matrix.subarray(cell * width, (cell + 1) * width);
    return Float32Array.from({ length: this.cells("query") }, (_, at) => matrix[at * width + cell]);
  }

  // what the cells are worth, from faint for the middle of them to full for the greatest, over the picture
  paint(canvas, side, values) {
    const { rows, columns, box: [left, top, right, bottom] } = this.grids[side];
    const sorted = [...values].sort((a, b) => a - b);
    const [middle, greatest] = [sorted[Math.floor(sorted.length / 2)], sorted[sorted.length - 1]];
    const small = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
    const pixels = small.getContext("2d").createImageData(columns, rows);
    values.forEach((value, at) => {
      const warm = greatest > middle ? Math.max(0, (value - middle) / (greatest - middle)) : 0;
      pixels.data.set([...HEAT, 255 * STRONGEST * warm], 4 * at);
    });
    small.getContext("2d").putImageData(pixels, 0, 0);
    const { width, height } = canvas;
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(small, left * width, top * height, (right - left) * width, (bottom - top) * height);
  }
}

export function fit(canvas) { // as many pixels as it is shown in, all clear
  const scale = devicePixelRatio || 1;
  Object.assign(canvas, { width: Math.round(canvas.clientWidth * scale), height: Math.round(canvas.clientHeight * scale) });
}

export function outline(canvas, [left, top, right, bottom]) {
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  for (const [colour, thickness] of [["#000", 4], ["#fff", 2]]) {
    Object.assign(context, { strokeStyle: colour, lineWidth: thickness * (devicePixelRatio || 1) });
    context.strokeRect(left * width, top * height, (right - left) * width, (bottom - top) * height);
  }
}

function floats(text) { // base64 of little-endian float32
  const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(4 * at, true));
}
