"""This holds the groups of layers that a config freezes, unfreezes and gives rates of their own."""

import re
from collections.abc import Collection, Iterable, Mapping

import keras

from tfptx.network import unet

Layers = tuple[keras.layers.Layer, ...]


def select(network: keras.Model, names: Iterable[str]) -> dict[str, Layers]:
    """The layers with weights of a U-Net by the config's groups, in the order of `names`.

    A name is one of `unet.groups`, or a regular expression that matches whole layer names.
    Raises ValueError where a layer is in no group or in two, or a group is empty.
    """
    of_stride = unet.groups(network)
    layers = [layer for members in of_stride.values() for layer in members]
    found = {
        name: of_stride.get(name) or tuple(x for x in layers if re.fullmatch(name, x.name))
        for name in names
    }
    for name, members in found.items():
        if not members:
            raise ValueError(
                f"unfreezing.from_epoch: no layer is named {name}; name {', '.join(of_stride)} or "
                f"a pattern of layer names, as {layers[0].name} or {layers[-1].name}"
            )
    for layer in layers:
        holders = [name for name, members in found.items() if any(x is layer for x in members)]
        if len(holders) != 1:
            raise ValueError(
                f"unfreezing.from_epoch: the layer {layer.name} is in "
                f"{' and '.join(holders) or 'no group'}; put each in exactly one"
            )
    return found


def train(layers: Mapping[str, Layers], names: Collection[str]) -> bool:
    """Let the groups of these names train and freeze all others; tell whether that is a change."""
    changed = [
        (layer, name in names)
        for name, members in layers.items()
        for layer in members
        if layer.trainable != (name in names)
    ]
    for layer, trains in changed:
        layer.trainable = trains
    return bool(changed)
