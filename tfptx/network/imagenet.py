"""This holds the weight files of ImageNet: their download, their check and their conversion.

They are h5 files of Keras 2, from 2019: the attribute `layer_names`, and for each layer a group
with the attribute `weight_names`.
"""

import contextlib
import hashlib
import os
import re
import sys
import tempfile
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from numpy.typing import NDArray

# What two layers must share to stand for each other: a name of their own, or "", the names of their
# weights, and the size of the kernel.
Kind = tuple[str, tuple[str, ...], tuple[int, ...]]
NUMBERED = re.compile(r"[a-z0-9_]*?(conv2d|batch_normalization|dense)(_\d+)?")  # by Keras


@dataclass(frozen=True)
class WeightsFile:
    """A file to download; `checksum` is the hexadecimal sha256 or, with 32 digits, md5."""

    name: str
    address: str
    checksum: str


@dataclass(frozen=True)
class _Stored:
    """The weights of one layer in a file."""

    layer: str
    weights: dict[str, NDArray[Any]]


def fetch(file: WeightsFile) -> Path:
    """Give the path of a checked file in the cache folder, downloaded if it is not there yet.

    The folder is $TFPTX_CACHE, or ~/.cache/tfptx. Raises ValueError where the download fails or
    the checksum differs; then nothing is left behind.
    """
    folder = Path(os.environ.get("TFPTX_CACHE", "~/.cache/tfptx")).expanduser()
    path = folder / file.name
    if path.is_file():
        _refuse_other_content(path, file)
        return path
    folder.mkdir(parents=True, exist_ok=True)
    # A folder of its own: get_file writes in place, and a killed download must not look whole.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".downloading-") as temporary:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                downloaded = keras.utils.get_file(
                    file.name, file.address, cache_dir=temporary, cache_subdir=""
                )
        except Exception as error:  # get_file raises nothing narrower
            raise ValueError(
                f"no download of {file.address} ({error}); {_offline(file)}"
            ) from error
        _refuse_other_content(Path(downloaded), file)
        Path(downloaded).replace(path)
    return path


def load(encoder: keras.Model, path: Path) -> None:
    """Set the weights of an encoder from a file of Keras 2.

    Layers that the encoder's package names go by these names where the file has them. Layers that
    Keras numbers are told by their kind (the same weights, the same size of kernel), which come in
    the same order in the graph and in the order of creation, so it does not matter which of the two
    the file has. A group convolution takes the kernels of as many layers as it has groups.

    Raises ValueError, which names the layer, where a layer is missing, left over or of another
    shape; then the encoder is unchanged.
    """
    layers = [layer for layer in encoder.layers if layer.weights]
    content = [entry for entry in _read(path) if entry.weights]
    names = {layer.name for layer in layers if not NUMBERED.fullmatch(layer.name)}
    if not names <= {entry.layer for entry in content}:
        names = set()
    stored = _by_kind(content, names)
    values = [(layer, _take(stored, layer, names, path)) for layer in layers]
    left_over = [entry.layer for queue in stored.values() for entry in queue]
    if left_over:
        raise ValueError(
            f"{path} has {len(left_over)} layers more than the encoder, the first is "
            f"{left_over[0]}; take the weights of this encoder without its classifier"
        )
    for layer, arrays in values:
        layer.set_weights(arrays)


def is_content_of(path: Path, file: WeightsFile) -> bool:
    """Whether a local file is the one that is to be downloaded, by its checksum."""
    return _checksum(path, file)[1] == file.checksum


def _checksum(path: Path, file: WeightsFile) -> tuple[str, str]:
    """The algorithm of a file's checksum, and what it gives for a local one."""
    algorithm = "md5" if len(file.checksum) == 32 else "sha256"
    with path.open("rb") as content:
        return algorithm, hashlib.file_digest(content, algorithm).hexdigest()


def _refuse_other_content(path: Path, file: WeightsFile) -> None:
    algorithm, found = _checksum(path, file)
    if found != file.checksum:
        raise ValueError(
            f"{path.name} from {file.address} has {algorithm} {found}, expected {file.checksum}; "
            f"delete {path} if it is there, and {_offline(file)}"
        )


def _offline(file: WeightsFile) -> str:
    return (
        f"try again, or fetch {file.address} by other means and give the file's path as encoder "
        "weights"
    )


def _read(path: Path) -> list[_Stored]:
    if not path.is_file():
        raise ValueError(f'no weights file at {path}; give "imagenet", "random" or a path')
    try:
        with h5py.File(path) as file:
            return [_stored(file[name], name) for name in _texts(file.attrs["layer_names"])]
    except (OSError, KeyError, AttributeError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is no weights file of Keras 2 ({error}); fetch it again"
        ) from error


def _stored(group: h5py.Group, name: str) -> _Stored:
    weights = {}
    for full_name in _texts(group.attrs["weight_names"]):
        # "conv0/kernel:0"; a depthwise kernel had its own name in Keras 2.
        short = full_name.split("/")[-1].partition(":")[0].removeprefix("depthwise_")
        weights[short] = np.asarray(group[full_name])
    return _Stored(name, weights)


def _texts(attribute: Iterable[bytes | str]) -> list[str]:
    return [text.decode() if isinstance(text, bytes) else str(text) for text in attribute]


def _by_kind(layers: Iterable[_Stored], names: set[str]) -> dict[Kind, deque[_Stored]]:
    kinds: dict[Kind, deque[_Stored]] = defaultdict(deque)
    for entry in layers:
        shapes = {name: array.shape for name, array in entry.weights.items()}
        kinds[_kind(entry.layer, shapes, names)].append(entry)
    return kinds


def _kind(layer: str, shapes: dict[str, tuple[int, ...]], names: set[str]) -> Kind:
    own_name = layer if layer in names else ""
    return own_name, tuple(sorted(shapes)), shapes.get("kernel", ())[:2]


def _take(
    stored: dict[Kind, deque[_Stored]], layer: keras.layers.Layer, names: set[str], path: Path
) -> list[NDArray[Any]]:
    """Take the layers that stand for `layer` off the front of their queue; give its weights."""
    shapes = {weight.name: tuple(weight.shape) for weight in layer.weights}
    queue = stored[_kind(layer.name, shapes, names)]
    count = getattr(layer, "groups", 1)
    if len(queue) < count:
        raise ValueError(
            f"{path} has no weights for layer {layer.name} ({', '.join(shapes)}); is it a file of "
            "this encoder?"
        )
    taken = [queue.popleft() for _ in range(count)]
    arrays = {
        name: np.concatenate([entry.weights[name] for entry in taken], axis=-1) for name in shapes
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(
                f"{path} has {name} of shape {arrays[name].shape} in layer {taken[0].layer}, "
                f"expected {shape} for {layer.name}; is it a file of this encoder?"
            )
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{path} has a {name} in layer {taken[0].layer} that is not finite")
    return [arrays[name] for name in shapes]
