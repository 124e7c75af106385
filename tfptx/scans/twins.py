"""This holds the finding of images that are the same pixel by pixel."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray


def find(samples: Sequence[Hashable], pixels_of: Callable[[int], NDArray[np.uint8]]) -> list[int]:
    """For each image the position of the first one with the same pixels, often its own.

    Two images of different `samples` are different; only where these agree `pixels_of` is called
    with a position, for all the pixels.
    """
    alike: dict[Hashable, list[int]] = defaultdict(list)
    for position, sample in enumerate(samples):
        alike[sample].append(position)
    first_of = list(range(len(samples)))
    for candidates in alike.values():
        if len(candidates) < 2:
            continue
        first_with: dict[bytes, int] = {}
        for position in candidates:
            content = hashlib.sha256(pixels_of(position).tobytes()).digest()
            first_of[position] = first_with.setdefault(content, position)
    return first_of
