"""This holds the optimizer: Adam with a multiplier of the learning rate for each layer group."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

Tensor = Any  # keras ships no types; an array of the backend in use


class GroupedAdam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam (Kingma & Ba 2015, arXiv:1412.6980) whose rate each group of layers multiplies.

    It is built at once on every variable of `groups`, which must all be trainable at that time: so
    a group that is unfrozen later finds its slots there, and the step count goes on.
    `rate_multipliers`, 1 where a group is not named, is what `multiply` starts from. `weight_decay`
    times each variable is added to its gradient after clipping, an L2 term as in PyTorch's Adam,
    from which the recipes' numbers come: Keras's own decay is multiplied by the rate, which makes
    nothing of them. `settings` are those of keras.optimizers.Adam.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[keras.layers.Layer]],
        weight_decay: float,
        rate_multipliers: Mapping[str, float],
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._l2 = weight_decay
        self._base = {name: rate_multipliers.get(name, 1.0) for name in groups}
        self.multipliers = {
            name: keras.Variable(base, trainable=False, dtype="float32", name="multiplier")
            for name, base in self._base.items()
        }
        variables = {
            name: [variable for layer in layers for variable in layer.trainable_variables]
            for name, layers in groups.items()
        }
        self.build([variable for members in variables.values() for variable in members])
        self._group_of = [name for name, members in variables.items() for _ in members]

    def multiply(self, group: str, factor: float) -> None:
        """Set the multiplier of a group to `factor` times its own."""
        self.multipliers[group].assign(factor * self._base[group])

    def follow(self, model: keras.Model) -> None:
        """Move what trains in this model at the time of a step, on the JAX backend too."""

        def trained() -> list[keras.Variable]:
            return list(model.trainable_variables)

        # No attribute that is a model: Keras saves those of an optimizer with it.
        self._trained = trained

    def stateless_apply(
        self,
        optimizer_variables: list[Tensor],
        grads: list[Tensor],
        trainable_variables: list[Tensor],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Give the model's variables that train, in its order, and the optimizer's after a step.

        Keras's own takes the gradients to be those of all variables, in the order of `build`.
        """
        trained = self._trained()
        mapping = [
            *zip(trained, trainable_variables, strict=True),
            *zip(self.variables, optimizer_variables, strict=True),
        ]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            self.apply(grads, trained)
        return (
            [scope.get_current_value(each) for each in trained],
            [scope.get_current_value(each) for each in self.variables],
        )

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        """Move one variable by Adam's step at its group's rate."""
        group = self._group_of[self._get_variable_index(variable)]
        if self._l2:
            decay = ops.multiply(ops.cast(self._l2, gradient.dtype), variable)
            gradient = ops.add(gradient, decay)
        rate = learning_rate * self.multipliers[group]
        if keras.config.backend() == "tensorflow" and not self.amsgrad:
            self._update_at_once(gradient, variable, rate)
        else:
            super().update_step(gradient, variable, rate)

    def _update_at_once(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        """Do Adam's step in one operation of TensorFlow's, in place of Keras's dozen.

        A network of hundreds of variables is then traced in half the time.
        """
        index = self._get_variable_index(variable)
        dtype = variable.dtype
        step = ops.cast(self.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=ops.power(ops.cast(self.beta_1, dtype), step),
            beta2_power=ops.power(ops.cast(self.beta_2, dtype), step),
            lr=ops.cast(learning_rate, dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=ops.cast(gradient, dtype),
        )
