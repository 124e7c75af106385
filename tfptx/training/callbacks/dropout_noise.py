"""This holds the noise of dropout: drawn anew in each epoch, from the seed and the epoch alone."""

from collections.abc import Iterator

import keras
import numpy as np


class DropoutNoise(keras.callbacks.Callback):  # type: ignore[misc]
    """Seeds every Dropout layer of a network at the start of each epoch.

    Keras does not save the layers' seeds with the weights, so a fit that goes on from its state
    would repeat the noise of its first epoch.
    """

    def __init__(self, network: keras.Model, seed: int) -> None:
        super().__init__()
        self._layers = [
            layer for layer in _all_layers(network) if isinstance(layer, keras.layers.Dropout)
        ]
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Seed the layers, each with its own numbers."""
        for index, layer in enumerate(self._layers):
            if layer.rate > 0:
                drawn = np.random.SeedSequence([self._seed, epoch, index]).generate_state(2)
                layer.seed_generator.state.assign(drawn)


def _all_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _all_layers(layer)
        else:
            yield layer
