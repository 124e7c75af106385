"""This holds what a file of weights says of itself; no Keras is needed to ask it."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import h5py

KERAS2, KERAS3 = "h5 of Keras 2", "weights.h5 of Keras 3"


@dataclass(frozen=True)
class Contents:
    """The form of a file, and of each layer in it the shapes of its weights by name."""

    form: str
    layers: dict[str, dict[str, tuple[int, ...]]]

    @property
    def num_parameters(self) -> int:
        """The number of values."""
        shapes = (shape for weights in self.layers.values() for shape in weights.values())
        return sum(prod(shape) for shape in shapes)


def is_one(path: Path) -> bool:
    """Whether a path is an HDF5 file, whatever is in it."""
    return path.is_file() and bool(h5py.is_hdf5(path))


def read(path: Path) -> Contents:
    """Say what a file holds. Raises ValueError where it is no file of weights."""
    try:
        with h5py.File(path) as file:
            if "layer_names" in file.attrs:
                names = [_text(name) for name in file.attrs["layer_names"]]
                return Contents(KERAS2, {name: _shapes(file[name]) for name in names})
            layers: dict[str, dict[str, tuple[int, ...]]] = {}
            file.visititems(lambda name, item: _add(layers, name, item))
    except (OSError, KeyError, AttributeError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no whole file of weights ({error})") from error
    if not layers:
        raise ValueError(f"{path} is an HDF5 file without weights")
    return Contents(KERAS3, layers)


def _add(layers: dict[str, dict[str, tuple[int, ...]]], name: str, item: Any) -> None:
    """Note a weight of Keras 3's form: layers/<...>/vars/<number>."""
    layer, separator, number = name.rpartition("/vars/")
    if separator and isinstance(item, h5py.Dataset):
        layers.setdefault(layer, {})[number] = item.shape


def _shapes(group: h5py.Group) -> dict[str, tuple[int, ...]]:
    return {_text(name): group[_text(name)].shape for name in group.attrs["weight_names"]}


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
