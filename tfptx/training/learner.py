"""This holds the learner: the network with the curriculum as its loss, for `fit` and `evaluate`."""

from typing import Any

import keras
from keras import ops

from tfptx.objectives.curriculum import Curriculum
from tfptx.pipeline import augmentation_graph
from tfptx.training.optimizer import GroupedAdam

Tensor = Any  # keras ships no types; an array of the backend in use


class Learner(keras.Model):  # type: ignore[misc]
    """A Keras model that shares the weights of `network` and reports each term of its loss."""

    def __init__(self, network: keras.Model, curriculum: Curriculum) -> None:
        super().__init__(inputs=network.inputs, outputs=network.output)
        self._curriculum = curriculum
        # Tracked, for a step that JAX compiles takes what is assigned to a model's variables alone.
        self._term_weights = list(curriculum.weights.values())
        self._term_means = [keras.metrics.Mean(name=name) for name in curriculum.weights]

    @property
    def adam(self) -> GroupedAdam:
        """The optimizer itself; under float16 Keras has put one that scales the loss around it."""
        optimizer: Any = self.optimizer
        found: GroupedAdam = getattr(optimizer, "inner_optimizer", optimizer)
        return found

    def compile(self, optimizer: keras.optimizers.Optimizer, **settings: Any) -> None:
        """Do as Keras's; the optimizer is a GroupedAdam, which learns here what it is to move."""
        super().compile(optimizer, **settings)
        self.adam.follow(self)

    def train_step(self, *arguments: Any) -> Any:
        """Train on a batch, the last of what Keras hands over, augmented as its draws say."""
        *state, batch = arguments
        return super().train_step(*state, augmented(batch))

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


def augmented(batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Give a batch of `tfptx.pipeline.batches.training` as (images, masks), N x S x S x 1.

    Where draws stand beside them, the augmentation is still to be applied.
    """
    images, masks, draws = keras.utils.unpack_x_y_sample_weight(batch)
    return (images, masks) if draws is None else augmentation_graph.apply(images, masks, draws)
