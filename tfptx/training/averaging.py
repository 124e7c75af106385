"""This holds the average of a fit's checkpoints: stochastic weight averaging after the fact.

Izmailov et al. 2018 (arXiv:1803.05407) average the weights at the ends of cycles, Wortsman et al.
2022 (arXiv:2203.05482) those of the best fits. Both need the statistics of batch norm anew, since
the average network has activations that none of its parts had.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tfptx.network import unet

Tensor = Any  # keras ships no types; an array of the backend in use
Array = NDArray[np.float64]


def load_mean(network: keras.Model, paths: Sequence[Path]) -> None:
    """Set every weight of a network to its mean over weight files, taken in float64."""
    sums = [np.zeros(weight.shape) for weight in network.weights]
    for path in paths:
        network.load_weights(path)
        sums = _added(sums, network.get_weights())
    network.set_weights([total / len(paths) for total in sums])


def estimate_statistics(network: keras.Model, batches: Iterable[Tensor]) -> None:
    """Set batch norm's moving statistics to their means over batches of images.

    Layers that are frozen, and batch norm with them, keep theirs. Dropout is on, as in a fit: seed
    it before each batch.
    """
    norms = [
        layer
        for layer in unet.all_layers(network)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    statistics = [each for norm in norms for each in (norm.moving_mean, norm.moving_variance)]
    momenta = [norm.momentum for norm in norms]
    sums = [np.zeros(each.shape) for each in statistics]
    num_batches = 0
    for norm in norms:
        norm.momentum = 0.0  # so that the statistics after a batch are that batch's own
    try:
        for images in batches:
            network(images, training=True)
            sums = _added(sums, [np.asarray(each) for each in statistics])
            num_batches += 1
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
    for total, each in zip(sums, statistics, strict=True):
        each.assign(total / num_batches)


def _added(sums: list[Array], values: list[Array]) -> list[Array]:
    return [total + value for total, value in zip(sums, values, strict=True)]
