"""This holds the heads: the mask's logits, and beside them those that a config asks for.

"presence" is one logit an image of whether there is any pneumothorax. "distance" is the signed
distance of each pixel to the outline, as `tfptx.objectives.distance` scales it, learned in parallel
with the mask (the idea of DeepSDM: Wang et al. 2021, Neurocomputing 454).
"""

from collections.abc import Sequence
from typing import Any

import keras

from tfptx.network import encoders
from tfptx.stage_config import STRIDE_PX, HeadName

Tensor = Any  # keras ships no types; an array of the backend in use

MASK = "mask"


def attach(
    features: dict[str, Tensor], decoded: Tensor, names: Sequence[HeadName], dtype: str
) -> Tensor | dict[str, Tensor]:
    """Give the mask's logits, N x H x W x 1 or, where there are other heads, all outputs by name.

    "presence" is N x 1, "distance" N x H x W x 1 within -1 and 1; their layers compute in `dtype`.
    """
    outputs = {MASK: _convolved(decoded, "logits", dtype)}
    if "presence" in names:
        outputs["presence"] = _presence(features[encoders.feature(STRIDE_PX)], dtype)
    if "distance" in names:
        distance = _convolved(decoded, "distance_logits", dtype)
        outputs["distance"] = keras.layers.Activation("tanh", name="distance", dtype=dtype)(
            distance
        )
    return outputs if names else outputs[MASK]


def mask(outputs: Tensor | dict[str, Tensor]) -> Tensor:
    """The mask's logits among what a network gives."""
    return outputs[MASK] if isinstance(outputs, dict) else outputs


def _convolved(x: Tensor, name: str, dtype: str) -> Tensor:
    return keras.layers.Conv2D(1, 3, padding="same", name=name, dtype=dtype)(x)


def _presence(deepest: Tensor, dtype: str) -> Tensor:
    """A logit of the mean and the largest of each of the deepest features."""
    layers = keras.layers
    mean = layers.GlobalAveragePooling2D(name="presence_mean", dtype=dtype)(deepest)
    largest = layers.GlobalMaxPooling2D(name="presence_largest", dtype=dtype)(deepest)
    both = layers.Concatenate(name="presence_features", dtype=dtype)([mean, largest])
    # Features of any size begin as even odds: they would else outshout the mask's loss.
    even = layers.LayerNormalization(name="presence_norm", dtype=dtype)(both)
    return layers.Dense(1, kernel_initializer="zeros", name="presence", dtype=dtype)(even)
