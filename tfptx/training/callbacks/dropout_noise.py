"""This holds the noise of dropout: drawn anew in each step, from the seed and the step alone."""

import keras
import numpy as np

from tfptx.network import unet
from tfptx.training.callbacks.clock import Clock


class DropoutNoise(keras.callbacks.Callback):  # type: ignore[misc]
    """Seeds every Dropout layer of a network before each step.

    Keras does not save the layers' seeds with the weights, so a fit that goes on from its state
    would repeat the noise of its first steps.
    """

    def __init__(self, network: keras.Model, seed: int, clock: Clock) -> None:
        super().__init__()
        self._layers = [
            layer
            for layer in unet.all_layers(network)
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0
        ]
        self._seed = seed
        self._clock = clock

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Seed the layers for the fit's step."""
        self.seed(self._clock.step)

    def seed(self, step: int) -> None:
        """Seed the layers, each with its own numbers."""
        for index, layer in enumerate(self._layers):
            drawn = np.random.SeedSequence([self._seed, step, index])
            layer.seed_generator.state.assign(drawn.generate_state(2))
