"""This holds the way for what callbacks read and assign into a step that JAX compiles."""

import keras


class Synchronised(keras.callbacks.Callback):  # type: ignore[misc]
    """Gives the variables their values after each step, and the next step what is assigned to them.

    On the JAX backend `fit` carries the values from step to step, and the variables are empty,
    until a callback asks for its model; what another one has assigned before is then lost. So this
    one stands before all that look at variables or assign to them.
    """

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Take the values of this step."""
        if keras.config.backend() == "jax":
            self.model.jax_state_sync()
