"""This holds the loss curriculum: a weighted sum of loss terms whose weights can move in a fit."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import keras
from keras import ops

from tfptx.objectives.distance import distance_l1
from tfptx.objectives.losses import focal, presence_bce, soft_dice, weighted_bce
from tfptx.objectives.lovasz import symmetric_lovasz_hinge
from tfptx.stage_config import OF_HEADS

Tensor = Any  # keras ships no types; an array of the backend in use
Term = Callable[..., Tensor]

TERMS: dict[str, Term] = {
    "weighted_bce": weighted_bce,
    "soft_dice": soft_dice,
    "focal": focal,
    "lovasz_hinge": symmetric_lovasz_hinge,
    "lovasz_hinge_elu": partial(symmetric_lovasz_hinge, hinge="elu"),
    "lovasz_hinge_batch": partial(symmetric_lovasz_hinge, per="batch"),
    "lovasz_hinge_elu_batch": partial(symmetric_lovasz_hinge, hinge="elu", per="batch"),
}

HEADS: dict[str, Term] = {"presence_bce": presence_bce, "distance_l1": distance_l1}
LOVASZ = tuple(name for name in TERMS if name.startswith("lovasz"))


class Curriculum:
    """The terms of a fit and the weight that each has now, as float32 Variables in `weights`.

    They are those of TERMS, on the mask's logits, and of HEADS, on other heads' outputs.
    A Python number would be baked into the compiled step; a Variable follows what is assigned.
    `positive` and `negative` are the class weights of the weighted BCE. Where the step is compiled
    with XLA, `is_static` keeps to forms whose shapes hang on no value.
    """

    def __init__(
        self, names: Iterable[str], positive: float, negative: float, is_static: bool = False
    ) -> None:
        classes = {"weighted_bce": partial(weighted_bce, positive=positive, negative=negative)}
        every = TERMS | HEADS | classes
        self._terms: dict[str, Term] = {name: every[name] for name in names}
        self._is_static = is_static
        if is_static:
            for name in set(LOVASZ) & set(self._terms):
                self._terms[name] = partial(self._terms[name], sort="all")
        self.weights = {
            name: keras.Variable(0.0, trainable=False, dtype="float32", name=f"{name}_weight")
            for name in self._terms
        }

    def means(self, truth: Tensor, outputs: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
        """Give each term's mean over the images of a batch: float32 scalars.

        `truth` is N x H x W x 1 in [0, 1], `outputs` the logits of masks or, by head, all that a
        network with several gives.
        A term whose weight is 0 counts 0, and is not computed unless the step is static.
        """
        by_head = outputs if isinstance(outputs, dict) else {"mask": outputs}
        return {
            name: self._mean(name, truth, by_head[OF_HEADS.get(name, "mask")])
            for name in self._terms
        }

    def _mean(self, name: str, truth: Tensor, output: Tensor) -> Tensor:
        def mean() -> Tensor:
            return ops.mean(self._terms[name](truth, output))

        nothing = ops.zeros((), "float32")
        if self._is_static:
            # XLA on TensorFlow finds no gradient of a branch whose batch is of any size.
            return ops.where(self.weights[name] > 0, mean(), nothing)
        return ops.cond(self.weights[name] > 0, mean, lambda: nothing)

    def total(self, means: dict[str, Tensor]) -> Tensor:
        """Give the loss: the sum of the terms' means, each times its weight."""
        return sum(self.weights[name] * mean for name, mean in means.items())
