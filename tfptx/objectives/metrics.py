"""This holds the metric on training batches: mean Dice with the rule for empty masks."""

import math
from typing import Any

import keras
from keras import ops

Tensor = Any  # keras ships no types; an array of the backend in use


class MeanDice(keras.metrics.Mean):  # type: ignore[misc]
    """The mean over images of the Dice of the pixels whose probability is at least `threshold`.

    As the competition scores: 2 |X and Y| / (|X| + |Y|) for each image, 1 where mask and truth are
    both empty and so 0 where one of them is. Raises ValueError on a threshold outside (0, 1).
    """

    def __init__(self, threshold: float = 0.5, name: str = "mean_dice", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if not 0 < threshold < 1:
            raise ValueError(f"threshold is {threshold}; give one above 0 and below 1")
        self.threshold = threshold

    def update_state(self, truth: Tensor, logits: Tensor) -> None:
        """Add a batch: `truth`, 0 or 1 in any dtype, and `logits`, both N x H x W x 1."""
        least_logit = math.log(self.threshold / (1 - self.threshold))
        mask = ops.cast(ops.cast(logits, "float32") >= least_logit, "float32")
        truth = ops.cast(truth, "float32")
        pixels = (1, 2, 3)
        overlap = ops.sum(mask * truth, axis=pixels)
        both = ops.sum(mask, axis=pixels) + ops.sum(truth, axis=pixels)
        super().update_state(ops.where(both == 0, 1.0, 2 * overlap / ops.maximum(both, 1.0)))

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make this metric again."""
        return {**super().get_config(), "threshold": self.threshold}
