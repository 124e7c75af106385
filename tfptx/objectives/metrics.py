"""This holds the Keras form of the score: mean Dice per image at the best cell of a grid."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

Tensor = Any  # keras ships no types; an array of the backend in use


class BestCellDice(keras.metrics.Metric):  # type: ignore[misc]
    """Mean Dice per image at the best (threshold, minimum size) of a grid; empty on empty is 1.

    At a fixed threshold the early epoch that predicts nothing would win, since most images have no
    pneumothorax. So each update counts every cell of the grid, and the result is that of the best:
    the largest mean Dice, ties by the mean Dice over positive images.

    Takes truth of 0 and 1 and logits, both N x S x S x 1, S being known. `min_pixels` belong to an
    image of `size_px` squared and scale with the area. The masks are those of
    `tfptx.operating_point.rule.mask`.
    """

    def __init__(
        self,
        thresholds: Sequence[float],
        min_pixels: Sequence[int],
        size_px: int,
        name: str = "best_cell",
    ) -> None:
        super().__init__(name=name)
        self._thresholds = sorted(thresholds)
        self._min_pixels = list(min_pixels)
        self._size_px = size_px
        cells = (len(self._thresholds), len(self._min_pixels))
        self._dice = self.add_variable(cells, initializer="zeros", name="dice")
        self._positive_dice = self.add_variable(cells, initializer="zeros", name="positive_dice")
        self._images = self.add_variable((), initializer="zeros", name="images")
        self._positives = self.add_variable((), initializer="zeros", name="positives")

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Count a batch. Weighted images have no meaning here and are refused."""
        if sample_weight is not None:
            raise ValueError("the mean Dice per image takes no sample weights")
        truth_px, predicted_px, overlap_px = self._counts(y_true, ops.sigmoid(y_pred))
        is_kept = predicted_px[:, :, None] >= self._least_pixels(y_pred)
        predicted_px = ops.where(is_kept, predicted_px[:, :, None], 0)
        overlap_px = ops.where(is_kept, overlap_px[:, :, None], 0)
        total_px = predicted_px + truth_px[:, None, None]
        overlap = 2 * ops.cast(overlap_px, "float32")
        dice = ops.where(
            total_px == 0, 1.0, overlap / ops.cast(ops.maximum(total_px, 1), "float32")
        )
        is_positive = ops.cast(truth_px > 0, "float32")
        self._dice.assign_add(ops.sum(dice, axis=0))
        self._positive_dice.assign_add(ops.sum(dice * is_positive[:, None, None], axis=0))
        self._images.assign_add(ops.cast(ops.shape(dice)[0], "float32"))
        self._positives.assign_add(ops.sum(is_positive))

    def result(self) -> dict[str, Tensor]:
        """Give mean Dice, Dice on positives and the cell that reaches them; 0 without images."""
        dice = ops.reshape(self._dice / ops.maximum(self._images, 1), (-1,))
        positive_dice = ops.reshape(self._positive_dice / ops.maximum(self._positives, 1), (-1,))
        best = ops.argmax(ops.where(dice == ops.max(dice), positive_dice, -1.0))
        columns = len(self._min_pixels)
        return {
            "mean_dice": ops.take(dice, best),
            "positive_dice": ops.take(positive_dice, best),
            "threshold": ops.take(ops.array(self._thresholds, "float32"), best // columns),
            "min_pixels": ops.take(ops.array(self._min_pixels, "float32"), best % columns),
        }

    def _counts(self, truth: Tensor, probability: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give pixels that are true [N], and that reach each threshold, in all and true [N, T].

        int32, since a float32 count stops growing at 2^24.
        """
        images = ops.shape(probability)[0]
        pixels = ops.reshape(ops.cast(probability, "float32"), (images, -1))
        truth = ops.cast(ops.reshape(truth, (images, -1)) > 0, "int32")
        num_bins = len(self._thresholds) + 1
        edges = ops.array(self._thresholds, "float32")
        # A pixel's bin is the number of thresholds that it reaches.
        bins = ops.cast(ops.searchsorted(edges, ops.reshape(pixels, (-1,)), side="right"), "int32")
        bins = ops.reshape(bins, ops.shape(pixels)) + num_bins * ops.arange(images)[:, None]
        bins = ops.reshape(bins, (-1,))

        def reaching(weights: Tensor) -> Tensor:
            histogram = ops.segment_sum(ops.reshape(weights, (-1,)), bins, images * num_bins)
            histogram = ops.reshape(histogram, (images, num_bins))
            return ops.flip(ops.cumsum(ops.flip(histogram, axis=1), axis=1), axis=1)[:, 1:]

        return ops.sum(truth, axis=1), reaching(ops.ones_like(truth)), reaching(truth)

    def _least_pixels(self, logits: Tensor) -> Tensor:
        """Give the smallest mask that each minimum size keeps, at the size of these logits."""
        rows, columns = logits.shape[1:3]
        return ops.array(
            [-(-least * rows * columns // self._size_px**2) for least in self._min_pixels], "int32"
        )
