"""This holds the curriculum: the loss that changes its terms within one fit."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from tfptx.objectives.losses import focal, soft_dice, weighted_bce
from tfptx.objectives.lovasz import symmetric_lovasz_hinge

Tensor = Any  # keras ships no types; an array of the backend in use

LOSSES: dict[str, Callable[..., Tensor]] = {
    "weighted_bce": weighted_bce,
    "soft_dice": soft_dice,
    "focal": focal,
    "lovasz_hinge": symmetric_lovasz_hinge,
    "lovasz_hinge_elu": partial(symmetric_lovasz_hinge, hinge="elu"),
}


class Curriculum(keras.layers.Layer):  # type: ignore[misc]
    """The weighted sum of loss terms whose weights may change while a compiled step runs.

    `names` are keys of `LOSSES`; `positive` and `negative` are the class weights of the weighted
    BCE. Each weight is a Variable, since a Python float would be baked into the traced step; it is
    0 until `assign` sets it. A term whose weight is 0 is not computed. Raises ValueError on an
    unknown name.
    """

    def __init__(
        self, names: Sequence[str], positive: float, negative: float, **kwargs: Any
    ) -> None:
        # Under a mixed-precision policy a layer would narrow the logits that it is called with.
        super().__init__(**{"dtype": "float32", **kwargs})
        unknown = set(names) - set(LOSSES)
        if unknown:
            raise ValueError(
                f"unknown loss terms {', '.join(sorted(unknown))}; choose from {', '.join(LOSSES)}"
            )
        weighted = partial(weighted_bce, positive=positive, negative=negative)
        self._losses = {name: {**LOSSES, "weighted_bce": weighted}[name] for name in names}
        self._term_weights = {
            name: self.add_weight(name=f"{name}_weight", initializer="zeros", trainable=False)
            for name in names
        }
        self._trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.built = True

    @property
    def trackers(self) -> list[keras.metrics.Mean]:
        """One mean a term, unweighted, over the images on which its weight was above 0."""
        return list(self._trackers.values())

    def assign(self, weights: Mapping[str, float]) -> None:
        """Set the weight of every term.

        Raises ValueError where the terms are not those of this curriculum, or a weight is not a
        number of at least 0.
        """
        if set(weights) != set(self._losses):
            raise ValueError(
                f"weights of the terms {', '.join(self._losses)} are expected, "
                f"got those of {', '.join(weights) or 'none'}"
            )
        for name, weight in weights.items():
            if not weight >= 0:
                raise ValueError(f"the weight of {name} is {weight}; give a number of at least 0")
            self._term_weights[name].assign(weight)

    def weights_now(self) -> dict[str, float]:
        """Give the weight of each term now in force."""
        return {
            name: float(ops.convert_to_numpy(weight)) for name, weight in self._term_weights.items()
        }

    def call(self, truth: Tensor, logits: Tensor) -> Tensor:
        """Give the mean over images of the weighted sum: a float32 scalar.

        `truth` and `logits` are N x H x W x 1, as in `LOSSES`. The trackers are updated.
        """
        num_images = ops.cast(ops.shape(logits)[0], "float32")
        sum_of_terms = ops.zeros(())
        for name, loss in self._losses.items():
            weight = ops.convert_to_tensor(self._term_weights[name])
            value = ops.cond(
                weight > 0,
                lambda loss=loss: ops.mean(loss(truth, logits)),
                lambda: ops.zeros(()),
            )
            self._trackers[name].update_state(
                value, sample_weight=num_images * ops.cast(weight > 0, "float32")
            )
            sum_of_terms = sum_of_terms + weight * value
        return sum_of_terms
