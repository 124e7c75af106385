// This holds the counts of a collection of images, unpacked, and what a rule scores on them.

// The collection with `predicted` and `overlap`: of each threshold, the pixels of each image that
// reach it, in all and in the truth. Packed are the steps from one threshold to the next one up.
async function unpackCollection(packed, numLevels) {
  const count = packed.num_images;
  const [truth, area, steps] = await Promise.all([
    unpackNumbers(packed.truth_px, count),
    unpackNumbers(packed.area_px, count),
    unpackNumbers(packed.counts, 2 * numLevels * count),
  ]);
  const predicted = new Array(numLevels);
  const overlap = new Array(numLevels);
  const none = new Float64Array(count);
  for (let level = numLevels - 1; level >= 0; level--) {
    const [all, within] = [new Float64Array(count), new Float64Array(count)];
    const [allAbove, withinAbove] = [predicted[level + 1] ?? none, overlap[level + 1] ?? none];
    const start = 2 * level * count;
    for (let i = 0; i < count; i++) {
      const trueStep = steps[start + count + i];
      within[i] = withinAbove[i] + trueStep;
      all[i] = allAbove[i] + trueStep + steps[start + i];
    }
    predicted[level] = all;
    overlap[level] = within;
  }
  return { ...packed, truth, area, predicted, overlap };
}

// The least pixels of an image of `area` that are the rule's share of an image of sizePx squared.
function leastPixels(rule, area, sizePx) {
  const whole = sizePx * sizePx;
  const scaled = rule.size * area;
  const rest = scaled % whole;
  return (scaled - rest) / whole + (rest > 0 ? 1 : 0);
}

// What a rule makes of one image: the places of its thresholds, `top` and `bottom`, and `size`.
function outcomeOf(collection, image, rule, sizePx) {
  const truth = collection.truth[image];
  const least = leastPixels(rule, collection.area[image], sizePx);
  const isKept = collection.predicted[rule.top][image] >= least;
  const predicted = isKept ? collection.predicted[rule.bottom][image] : 0;
  const overlap = isKept ? collection.overlap[rule.bottom][image] : 0;
  const dice = predicted + truth === 0 ? 1 : (2 * overlap) / (predicted + truth);
  const kind = ((predicted > 0) === (truth > 0) ? "T" : "F") + (predicted > 0 ? "P" : "N");
  return { truth, predicted, overlap, dice, kind };
}

// The figures of score.py and the confusion counts; a share of no image is NaN.
function figuresOf(collection, rule, sizePx) {
  const tally = { TP: 0, FP: 0, FN: 0, TN: 0 };
  let [diceSum, positiveSum] = [0, 0];
  const count = collection.num_images;
  for (let i = 0; i < count; i++) {
    const { truth, dice, kind } = outcomeOf(collection, i, rule, sizePx);
    tally[kind] += 1;
    diceSum += dice;
    if (truth > 0) positiveSum += dice;
  }
  const [positives, negatives] = [tally.TP + tally.FN, tally.TN + tally.FP];
  return {
    ...tally,
    mean_dice: diceSum / count,
    positive_dice: positiveSum / positives,
    sensitivity: tally.TP / positives,
    specificity: tally.TN / negatives,
    empty_share: (tally.TN + tally.FN) / count,
    all_empty_dice: negatives / count,
  };
}
