"""This holds the learner: the network with the curriculum as its loss, for `fit` and `evaluate`."""

from typing import Any

import keras
from keras import ops

from tfptx.objectives.curriculum import Curriculum

Tensor = Any  # keras ships no types; an array of the backend in use


class Learner(keras.Model):  # type: ignore[misc]
    """A Keras model that shares the layers of `network` and reports each term of its loss."""

    def __init__(self, network: keras.Model, curriculum: Curriculum) -> None:
        super().__init__(inputs=network.inputs, outputs=network.outputs)
        self._curriculum = curriculum
        self._term_means = [keras.metrics.Mean(name=name) for name in curriculum.weights]

    def compute_loss(
        self,
        x: Tensor | None = None,
        y: Tensor | None = None,
        y_pred: Tensor | None = None,
        sample_weight: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        """Give the curriculum's loss of a batch; each term is computed once and recorded."""
        means = self._curriculum.means(y, y_pred)
        for tracker in self._term_means:
            tracker.update_state(means[tracker.name], sample_weight=ops.shape(y)[0])
        return self._curriculum.total(means)
