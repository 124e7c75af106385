"""This holds the competition's relative run-length code of a mask.

The text is pairs `start length` over the mask read column by column (`mask.T.ravel()`). The first
start counts from pixel 0, every later one from the end of the run before it. An empty mask is `-1`.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

EMPTY = "-1"
# Python would take 1_0, and digits of other scripts, as numbers too.
_NO_NUMBERS = re.compile(r"[^-0-9 \t\r\n]")
Runs = tuple[NDArray[np.int64], NDArray[np.int64]]  # starts and lengths


class OtherSizeError(ValueError):
    """A mask has another size than its image, or may have: a run leaves the image."""


def parse(rle: str, rows: int, columns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Read a text into absolute starts and lengths, int64, in column-major pixels.

    Raises ValueError where the text is not such pairs, and OtherSizeError, which is one too, where
    a run leaves a rows x columns image.
    """
    if (odd := _NO_NUMBERS.search(rle)) is not None:
        raise ValueError(f"run lengths hold something else than whole numbers: {odd[0]!r}")
    fields = rle.split()
    if fields == [EMPTY]:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    try:
        numbers = np.array(fields, dtype=np.int64)
    except OverflowError as error:
        raise ValueError("run lengths hold a number far beyond any image") from error
    except ValueError as error:
        raise ValueError(f"run lengths hold something else than whole numbers: {error}") from error
    if not len(numbers) or len(numbers) % 2:
        raise ValueError(f"run lengths are pairs of start and length, got {len(numbers)} numbers")
    gaps, lengths = numbers[::2], numbers[1::2]
    if (gaps < 0).any():
        first = int(np.argmax(gaps < 0))
        raise ValueError(f"run {first + 1} starts at {gaps[first]}: it overlaps what is before it")
    if (lengths < 1).any():
        first = int(np.argmax(lengths < 1))
        raise ValueError(f"run {first + 1} has the length {lengths[first]}, at least 1 is right")
    # Bounding each number first keeps the sums below from wrapping around int64.
    if max(gaps.max(), lengths.max()) > rows * columns:
        raise OtherSizeError(f"a run reaches past the {rows} x {columns} image")
    ends = np.cumsum(gaps + lengths)
    if ends[-1] > rows * columns:
        raise OtherSizeError(
            f"runs end at pixel {ends[-1]}, past the {rows * columns} of a {rows} x {columns} image"
        )
    return ends - lengths, lengths


def decode(rle: str, rows: int, columns: int) -> NDArray[np.bool_]:
    """Read a text into a rows x columns mask. Raises ValueError as `parse` does."""
    return from_runs(*parse(rle, rows, columns), rows, columns)


def encode(mask: NDArray[np.generic]) -> str:
    """Write a rows x columns mask, whose non-zero pixels are set, as text."""
    return to_text(*to_runs(mask))


def to_text(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> str:
    """Write absolute, ascending, non-overlapping column-major runs as text."""
    if not len(starts):
        return EMPTY
    gaps = np.diff(starts, prepend=0)
    gaps[1:] -= lengths[:-1]
    return " ".join(map(str, np.stack([gaps, lengths], axis=1).ravel().tolist()))


def to_runs(mask: NDArray[np.generic]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The absolute starts and lengths, int64, of a mask's runs in column-major order."""
    if mask.ndim != 2:
        raise ValueError(f"a mask has rows and columns, got the shape {mask.shape}")
    flat = np.zeros(mask.size + 2, np.int8)
    flat[1:-1] = (mask != 0).ravel(order="F")
    steps = np.diff(flat)
    starts = np.flatnonzero(steps == 1)
    return starts, np.flatnonzero(steps == -1) - starts


def from_runs(
    starts: NDArray[np.int64], lengths: NDArray[np.int64], rows: int, columns: int
) -> NDArray[np.bool_]:
    """The rows x columns mask of absolute, ascending, non-overlapping column-major runs."""
    edges = np.stack([starts, starts + lengths], axis=1).ravel()
    spans = np.diff(edges, prepend=0, append=rows * columns)
    flat = np.repeat(np.arange(len(spans)) % 2 == 1, spans)
    return flat.reshape(columns, rows).T


def union(parts: Sequence[Runs]) -> Runs:
    """The absolute, ascending, non-overlapping runs of the union of masks, of none too."""
    starts = np.concatenate([np.empty(0, np.int64), *(starts for starts, _ in parts)])
    lengths = np.concatenate([np.empty(0, np.int64), *(lengths for _, lengths in parts)])
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum.accumulate((starts + lengths)[order])
    is_first = np.concatenate([[True], starts[1:] > ends[:-1]])[: len(starts)]
    is_last = np.concatenate([is_first[1:], [True]])[: len(starts)]
    return starts[is_first], ends[is_last] - starts[is_first]
