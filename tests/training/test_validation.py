import cv2
import numpy as np
import pytest
import tensorflow as tf

from tests.training import learning
from tfptx.objectives.losses import soft_dice, weighted_bce
from tfptx.operating_point import grid, rule, score
from tfptx.scans import rle
from tfptx.training import validation

SIZES = [(8, 8), (20, 12), (8, 16), (5, 7)]
CELLS = grid.joint((0.3, 0.45, 0.5, 0.6), (0, 20), 8)


def examples():
    random = np.random.default_rng(4)
    masks = (random.random((4, 8, 8, 1)) < 0.3).astype(np.uint8)
    truths = [random.random(size) < 0.3 for size in SIZES]
    masks[2], truths[2] = 0, np.zeros(SIZES[2], bool)
    return masks, truths, random.normal(0, 1, (4, 8, 8, 1)).astype(np.float32)


def batches(masks, truths, batch_size=3):
    runs = [rle.to_runs(truth) for truth in truths]
    for first in range(0, 4, batch_size):
        part = slice(first, first + batch_size)
        num_images = len(masks[part])
        truth = {
            # Square images, which masks of any shape are drawn on.
            "rows": tf.fill([num_images], tf.constant(8, tf.int64)),
            "columns": tf.fill([num_images], tf.constant(8, tf.int64)),
            "mask_rows": tf.constant([rows for rows, _ in SIZES[part]], tf.int64),
            "mask_columns": tf.constant([columns for _, columns in SIZES[part]], tf.int64),
            "mask_starts": tf.ragged.constant([starts.tolist() for starts, _ in runs[part]]),
            "mask_lengths": tf.ragged.constant([lengths.tolist() for _, lengths in runs[part]]),
        }
        yield masks[part], masks[part], truth


def curriculum():
    _, found = learning.learner(learning.network(), ("weighted_bce", "soft_dice"))
    found.weights["soft_dice"].assign(0.5)
    return found


def scored(logits, check=lambda: None):
    masks, truths, _ = examples()
    parts = iter([logits[:3], logits[3:]])
    return validation.score(
        lambda images: next(parts), curriculum(), batches(masks, truths), CELLS, check
    )


def test_the_score_is_the_best_cells_at_the_annotations_size():
    _, truths, logits = examples()
    found = scored(logits)
    probabilities = (1 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.float32)
    maps = [
        cv2.resize(each[..., 0], size[::-1], interpolation=cv2.INTER_LINEAR)
        for each, size in zip(probabilities, SIZES, strict=True)
    ]
    table = {}
    for threshold in CELLS.axes["threshold"]:
        for min_pixels in CELLS.axes["min_pixels"]:
            pair = rule.pair(threshold, min_pixels, 8)
            dice = [
                score.dice(rule.mask(each, pair), truth)
                for each, truth in zip(maps, truths, strict=True)
            ]
            table[threshold, min_pixels] = np.mean(dice)
    best = max(table, key=table.get)
    assert (found["threshold"], found["min_pixels"]) == best
    assert found["mean_dice"] == pytest.approx(table[best], abs=1e-12)


def test_the_losses_are_means_over_images_not_batches():
    masks, _, logits = examples()
    found = scored(logits)
    bce = float(np.mean(weighted_bce(masks, logits)))
    dice = float(np.mean(soft_dice(masks, logits)))
    assert found["weighted_bce"] == pytest.approx(bce, rel=1e-5)
    assert found["soft_dice"] == pytest.approx(dice, rel=1e-5)
    assert found["loss"] == pytest.approx(bce + 0.5 * dice, rel=1e-5)


def test_a_loss_that_is_not_finite_is_refused():
    _, _, logits = examples()
    logits[1] = np.nan
    with pytest.raises(ValueError, match="the validation loss is nan"):
        scored(logits)


def test_it_is_asked_before_each_batch_whether_to_stop():
    _, _, logits = examples()
    asked = []

    def check():
        asked.append(1)
        if len(asked) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        scored(logits, check)
