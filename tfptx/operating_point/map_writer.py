"""This holds the writing of maps and, where the truth is at hand, of their counts."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfptx import files
from tfptx.operating_point import counts, image_table, maps
from tfptx.scans import rle

_COUNTS = "counts.npy"  # while they are written


class Writer:
    """Appends maps in the order of the sizes that `writing` was given."""

    def __init__(self, folder: Path, sizes: Sequence[tuple[int, int]], counts_only: bool):
        self._folder = folder
        self._sizes = sizes
        self._counts_only = counts_only
        areas = [rows * columns for rows, columns in sizes]
        self._offsets = np.concatenate([[0], np.cumsum(areas)])
        if not counts_only:
            self._levels = _reserved(folder / maps.LEVELS, np.uint16, (int(self._offsets[-1]),))
        self._counts = _reserved(folder / _COUNTS, np.uint32, (len(sizes), 2, counts.NUM_BINS))
        self._index: list[dict[str, Any]] = []

    def append(
        self, row: dict[str, Any], levels: NDArray[np.uint16], preview: bytes | None
    ) -> None:
        """Write the next map, uint16 rows x columns, and its line of the index.

        `row` has image_id, patient_id, fold and truth_rle ("" where unlabelled), and may have the
        subgroup columns view, sex, age and spacing_mm, and the presence; `preview` is a small JPEG.
        Raises ValueError where the map is not of the size announced or no map of levels, or where
        it has no truth and the counts alone are to be kept, or its preview would lie elsewhere.
        """
        position, image_id = len(self._index), row["image_id"]
        if position == len(self._sizes):
            raise ValueError(f"{position} maps were announced, {image_id} is one more")
        if levels.shape != self._sizes[position] or levels.dtype != np.uint16:
            raise ValueError(
                f"{image_id}: the map is {levels.dtype} {levels.shape}, "
                f"announced was uint16 {self._sizes[position]}"
            )
        maps.refuse_beyond_levels(int(levels.max()), image_id)
        rows, columns = levels.shape
        if row["truth_rle"]:
            runs = rle.parse(row["truth_rle"], rows, columns)
            self._counts[position] = counts.of_levels(levels, *runs)
        elif self._counts_only:
            raise ValueError(f"{image_id} has no truth, without which counts say nothing")
        start, end = self._offsets[position : position + 2]
        if not self._counts_only:
            self._levels[start:end] = levels.ravel()
        self._index.append(row | {"rows": rows, "columns": columns, "offset": int(start)})
        if preview is not None:
            path = maps.preview_path(self._folder, image_id)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(preview)

    def close(self) -> None:
        """Write what is left. Raises ValueError where a map that was announced is missing."""
        if len(self._index) != len(self._sizes):
            raise ValueError(f"{len(self._sizes)} maps were announced, {len(self._index)} came")
        columns = [*maps.REQUIRED, *maps.SUBGROUP_TEXTS, *maps.SUBGROUP_NUMBERS, maps.PRESENCE]
        table = pd.DataFrame(self._index, columns=columns)
        table.to_csv(self._folder / maps.INDEX, index=False)
        if not self._counts_only:
            self._levels.flush()
        if (table["truth_rle"] != "").all():
            # Stamped last: the stamp is of the files as they now stand.
            stamp = counts.stamp(self._folder)
            image_table.write(self._folder / counts.NAME, stamp, self._counts)
        (self._folder / _COUNTS).unlink()


@contextmanager
def writing(
    folder: Path,
    sizes: Sequence[tuple[int, int]],
    source: dict[str, Any],
    counts_only: bool = False,
) -> Iterator[Writer]:
    """Yield what writes maps of rows x columns `sizes`; the folder appears whole or not at all.

    `source` becomes maps.json: runs, the keys of `maps.MANNER` and environment. `counts_only`
    keeps of each map how many pixels have each level, 80 KB in place of 2 MB at 1024 x 1024.
    """
    if not sizes:
        raise ValueError(f"there are no maps to write to {folder}")
    with files.writing_folder(folder) as temporary:
        writer = Writer(temporary, sizes, counts_only)
        yield writer
        writer.close()
        content = {"schema": maps.SCHEMA, **source, "counts_only": counts_only}
        files.write_json(temporary / maps.NAME, content)


def _reserved(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> np.memmap[Any, Any]:
    """A new memory-mapped array whose space on the disk is taken, where the platform can.

    Raises OSError where the disk is full, which at a write to the memory map would be a SIGBUS.
    """
    mapped = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return mapped
