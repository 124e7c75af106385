"""This holds the U-Net: scaling, encoder, decoder and linear head in one graph.

Ronneberger et al. 2015 (arXiv:1505.04597).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras

from tfptx.config import Decoder
from tfptx.network import decoder as decoders
from tfptx.network import encoders, imagenet
from tfptx.network import heads as attached_heads
from tfptx.stage_config import STRIDE_PX, HeadName

Tensor = Any  # keras ships no types; an array of the backend in use


def build(
    encoder: str,
    size_px: int | None = None,
    weights: str | Path | None = None,
    decoder: Decoder = decoders.NEAREST,
    heads: Sequence[HeadName] = (),
) -> keras.Model:
    """Build a U-Net.

    Input float N x H x W x 1 in [0, 255], H and W `size_px` or, without it, any multiples of 32;
    output float32 logits N x H x W x 1, under mixed precision too, or with other `heads` a dict as
    `tfptx.network.heads.attach` gives it. `weights` of the encoder are
    None or "random", "imagenet", or the path of a file of that form; all else is random, and the
    same again after `keras.utils.set_random_seed`.

    Raises ValueError on an unknown encoder, another size, or weights that can't be had.
    """
    if size_px is not None and (size_px < STRIDE_PX or size_px % STRIDE_PX):
        raise ValueError(f"size_px is a multiple of {STRIDE_PX}, got {size_px}")
    network = encoders.build(encoder, size_px)
    if weights == "imagenet":
        imagenet.load(network, imagenet.fetch(encoders.weights_file(encoder)))
    elif weights not in {None, "random"}:
        imagenet.load(network, Path(weights))
    images = keras.Input((size_px, size_px, 1), name="images")
    features = network(_scaled(images, encoder))
    decoded = decoders.decode(features, decoder)
    # Half floats would round what leaves the network.
    outputs = attached_heads.attach(features, decoded, heads, _wide_dtype())
    return keras.Model(images, outputs, name=f"unet_{encoder}")


def groups(model: keras.Model) -> dict[str, tuple[keras.layers.Layer, ...]]:
    """Give the layers that have weights, in groups that can be frozen and unfrozen as one.

    "stride2" to "stride32" hold the encoder's layers between the features of the stride before and
    those of their own; "decoder" holds all others. Each layer is in exactly one group.
    """
    encoder = model.get_layer("encoder")
    found: dict[str, tuple[keras.layers.Layer, ...]] = {}
    seen: set[int] = set()
    for name, features in encoder.output.items():
        # A model of a part of the graph holds exactly the layers that its output needs.
        needed = keras.Model(encoder.input, features).layers
        found[name] = tuple(layer for layer in needed if layer.weights and id(layer) not in seen)
        seen |= {id(layer) for layer in needed}
    rest = (layer for layer in model.layers if layer is not encoder)
    return {**found, "decoder": tuple(layer for layer in rest if layer.weights)}


def all_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Give the layers of a model, those of nested models in place of these."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from all_layers(layer)
        else:
            yield layer


def _scaled(images: Tensor, encoder: str) -> Tensor:
    """Repeat grey as three channels and scale them as the encoder's ImageNet weights want it."""
    scale, offset = encoders.scaling(encoder)
    # Half floats would round the normalised levels twice.
    dtype = _wide_dtype()
    channels = keras.layers.Concatenate(name="grey_to_three", dtype=dtype)([images] * 3)
    return keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="scaling", dtype=dtype)(
        channels
    )


def _wide_dtype() -> str:
    """The dtype of what mixed precision must leave alone."""
    compute_dtype = keras.config.dtype_policy().compute_dtype
    return "float64" if compute_dtype == "float64" else "float32"
