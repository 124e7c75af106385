// This holds the drawing of a case on a canvas: radiograph or probability, mask, annotation.

const STEPS = 255; // of a drawn probability
const ORANGE = [230, 159, 0]; // Okabe and Ito's, apart for all kinds of colour vision
const BLUE = [86, 180, 233];
const FILL_SHARE = 0.18;
const LINE_OF_SIDE = 160; // an outline is this part of the longer side thick
const DASH_PX = 4;
const PLAIN_GREY = 48; // where the maps came without radiographs
// Nine of matplotlib's 256 colours of cividis, between which the others are all but straight.
const CIVIDIS = [
  [0, 34, 78], [26, 56, 111], [67, 78, 108], [97, 101, 111], [125, 124, 120],
  [155, 148, 118], [188, 174, 108], [222, 201, 88], [254, 232, 56],
];

function colourOf(share) {
  const place = share * (CIVIDIS.length - 1);
  const below = Math.min(Math.floor(place), CIVIDIS.length - 2);
  return CIVIDIS[below].map((from, i) => from + (place - below) * (CIVIDIS[below + 1][i] - from));
}

const COLOURS = Array.from({ length: STEPS + 1 }, (_, step) => colourOf(step / STEPS));

// Whether a pixel that is set has one within `reach` that is not, along a row or column.
function isEdge(isSet, x, y, columns, rows, reach) {
  const at = y * columns + x;
  if (!isSet(at)) return false;
  if (x < reach || y < reach || x >= columns - reach || y >= rows - reach) return true;
  for (let step = 1; step <= reach; step++) {
    const apart = step * columns;
    if (!isSet(at - step) || !isSet(at + step)) return true;
    if (!isSet(at - apart) || !isSet(at + apart)) return true;
  }
  return false;
}

function paint(pixels, at, colour, share) {
  for (let i = 0; i < 3; i++) {
    pixels[4 * at + i] = (1 - share) * pixels[4 * at + i] + share * colour[i];
  }
}

// Draws a case, `picture` an image or null, `levels` and `truth` of rows x columns; `isMask` says of
// the place of a pixel whether it is in the mask.
function drawCase(canvas, picture, { rows, columns, levels, truth }, isMask, isProbability) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = `rgb(${PLAIN_GREY} ${PLAIN_GREY} ${PLAIN_GREY})`;
  context.fillRect(0, 0, columns, rows);
  if (picture) context.drawImage(picture, 0, 0, columns, rows);
  const image = context.getImageData(0, 0, columns, rows);
  const reach = Math.ceil(Math.max(rows, columns) / LINE_OF_SIDE);
  const isTrue = (at) => truth[at] > 0;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const at = y * columns + x;
      if (isProbability) paint(image.data, at, COLOURS[levels[at]], 1);
      else if (isMask(at)) paint(image.data, at, ORANGE, FILL_SHARE);
      if (isEdge(isMask, x, y, columns, rows, reach)) paint(image.data, at, ORANGE, 1);
      const isDash = Math.floor((x + y) / DASH_PX) % 2 === 0;
      if (isDash && isEdge(isTrue, x, y, columns, rows, reach)) paint(image.data, at, BLUE, 1);
    }
  }
  context.putImageData(image, 0, 0);
}
