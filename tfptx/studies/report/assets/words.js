// This holds the words and ways that the scripts of all pages share.

const OUTCOMES = {
  TP: "True positive", FP: "False positive", FN: "False negative", TN: "True negative",
};

const find = (selector, within = document) => within.querySelector(selector);

// The picture of a data URI once it can be drawn, null where there is none.
async function pictureOf(uri) {
  if (!uri) return null;
  const picture = new Image();
  picture.src = uri;
  return picture.decode().then(() => picture, () => null);
}
