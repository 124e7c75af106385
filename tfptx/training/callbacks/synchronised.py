"""This holds the way for what callbacks read and assign into a step that JAX compiles."""

import keras


class Synchronised(keras.callbacks.Callback):  # type: ignore[misc]
    """Gives the variables their values after each step, and the next step what is assigned to them.

    On the JAX backend `fit` else carries the values from step to step and the variables are empty.
    It must stand before the callbacks that look at variables when a step ends.
    """

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Take the values of this step."""
        if keras.config.backend() == "jax":
            self.model.jax_state_sync()
