"""This holds the validation of a network: its losses, and its score at the best cell of a grid.

The score is that of `predict-maps` and `sweep`: at the annotation's own size, by the same rule.
"""

import math
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from tfptx import config
from tfptx.inference import ensemble
from tfptx.network import heads
from tfptx.objectives.curriculum import Curriculum
from tfptx.operating_point import counts, grid, sweep
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.grid import Grid

Tensor = Any  # keras ships no types; an array of the backend in use
Outputs = Tensor | dict[str, Tensor]
Batch = tuple[Tensor, Tensor, dict[str, Tensor]]

SCORES = ("mean_dice", "positive_dice", "threshold", "min_pixels")


def cells(settings: config.Grid) -> Grid:
    """The grid of pairs that the config names. Raises ValueError where its texts are no grids."""
    try:
        thresholds, min_pixels = grid.values(settings.thresholds), grid.pixels(settings.min_pixels)
    except ValueError as error:
        raise ValueError(f"operating_point of the config: {error}") from error
    return grid.joint(thresholds, min_pixels, settings.size_px)


def score(
    predict: Callable[[Tensor], Outputs],
    curriculum: Curriculum,
    batches: Iterable[Batch],
    cells: Grid,
    check: Callable[[], None],
) -> dict[str, float]:
    """Give `loss`, each term of it by name, and SCORES, over the batches of `batches.validation`.

    `predict` gives what a network says of a batch of images, its logits or, by head, all outputs.
    At a fixed threshold the early epoch that predicts nothing would win, since most images have no
    pneumothorax; so the score is that of the best cell. `check` is called before each batch.
    Raises ValueError where the loss is not finite.
    """
    losses: dict[str, float] = dict.fromkeys(["loss", *curriculum.weights], 0.0)
    histograms: list[NDArray[np.uint32]] = []
    sizes: list[tuple[int, int]] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for images, masks, truth in batches:
            check()
            outputs = predict(images)
            logits = heads.mask(outputs)
            means = curriculum.means(masks, outputs)
            for name, mean in {"loss": curriculum.total(means), **means}.items():
                losses[name] += float(mean) * len(logits)
            if not math.isfinite(losses["loss"]):
                raise ValueError(f"the validation loss is {losses['loss']}")
            features = {name: values.numpy() for name, values in truth.items()}
            examples = [
                {name: values[i] for name, values in features.items()} for i in range(len(logits))
            ]
            probabilities = np.asarray(ops.sigmoid(logits))
            histograms += pool.map(
                _histograms, (probabilities[i : i + 1] for i in range(len(logits))), examples
            )
            sizes += [(int(each["mask_rows"]), int(each["mask_columns"])) for each in examples]
    return {
        **{name: total / len(sizes) for name, total in losses.items()},
        **_best_cell(histograms, sizes, cells),
    }


def _histograms(probability: Tensor, example: dict[str, Any]) -> NDArray[np.uint32]:
    """Count the levels of a map, 1 x S x S x 1, at the annotation's size: in all and in truth."""
    of_image = ensemble.of_image(probability, example["rows"], example["columns"])
    levels = ensemble.levels(of_image, example["mask_rows"], example["mask_columns"])
    return counts.of_levels(levels, example["mask_starts"], example["mask_lengths"])


def _best_cell(
    histograms: list[NDArray[np.uint32]],
    sizes: list[tuple[int, int]],
    cells: Grid,
) -> dict[str, float]:
    rows, columns = np.array(sizes, np.int64).T
    nobody, nowhere = np.full(len(sizes), ""), np.zeros(len(sizes), np.int64)
    unsaid = np.full(len(sizes), np.nan, np.float32)
    counted = Counts(np.stack(histograms), rows, columns, nobody, nowhere, unsaid)
    best = sweep.best([counted], cells)
    # A fold without a positive image has no Dice on positives.
    return {name: float(np.nan_to_num(best[name])) for name in SCORES}
