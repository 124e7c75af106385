"""This holds the reading of masks that are drawn as PNG files, one an image, hard or soft."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx import provenance
from tfptx.scans import codec, image_files, image_ids, rle
from tfptx.scans.rle import Runs

SUFFIX = ".png"
WHITE = 255  # of a soft mask: the probability 1
LEAST_INSIDE = 128  # the first grey level whose probability, grey / 255, is at least 0.5


@dataclass(frozen=True)
class MaskFiles:
    """The mask of each image as a file; a file of zeros means an empty mask.

    Where they are soft, a pixel is a probability, grey / 255, and inside from 0.5 on.
    """

    paths: dict[str, Path]
    name: str = "masks"
    are_soft: bool = False

    @property
    def ids(self) -> Collection[str]:
        """The ids of the annotated images."""
        return self.paths.keys()

    @property
    def fingerprint(self) -> str:
        """What tells these masks from any others, by their files' names, sizes and times."""
        stats = ((path, path.stat()) for path in self.paths.values())
        kind = ["soft"] if self.are_soft else []
        return provenance.fingerprint(
            [*kind, *(f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats)]
        )

    def narrowed(self, ids: Iterable[str]) -> "MaskFiles":
        """The masks of some images, and of no others."""
        paths = {each: self.paths[each] for each in ids if each in self.paths}
        return MaskFiles(paths, self.name, self.are_soft)

    def drawn(self, image_id: str, rows: int, columns: int) -> tuple[list[Runs], bytes | None]:
        """An image's mask as runs, all in one part, and its probabilities as an 8-bit grey PNG.

        There are none of hard masks, nor where they are 0 and 1 alone. Raises as `mask` does.
        """
        if not self.are_soft:
            return [rle.to_runs(self.mask(image_id, rows, columns))], None
        grey = self._grey(image_id, rows, columns)
        soft = None if np.isin(grey, (0, WHITE)).all() else codec.to_png(grey)
        return [rle.to_runs(grey >= LEAST_INSIDE)], soft

    def mask(self, image_id: str, rows: int, columns: int) -> NDArray[np.bool_]:
        """An image's mask: true where its file is not 0 or, of a soft one, at least LEAST_INSIDE.

        Raises ValueError where the file does not decode, has more than two values or, of a soft
        one, more than 8 bits, and OtherSizeError where it is not rows x columns.
        """
        if self.are_soft:
            return np.asarray(self._grey(image_id, rows, columns) >= LEAST_INSIDE)
        return set_pixels(self._values(image_id, rows, columns), self.paths[image_id].name)

    def oddity(self, image_id: str, parts_px: int, mask_px: int) -> str:
        """What is odd about an image's annotation: of one file, nothing."""
        return ""

    def _grey(self, image_id: str, rows: int, columns: int) -> NDArray[np.uint8]:
        values = self._values(image_id, rows, columns)
        if values.dtype != np.uint8:
            raise ValueError(
                f"{self.paths[image_id].name} has {8 * values.dtype.itemsize} bits; a soft mask "
                f"has 8, of which {WHITE} is the probability 1"
            )
        return np.asarray(values, np.uint8)

    def _values(self, image_id: str, rows: int, columns: int) -> NDArray[np.generic]:
        """What an image's file holds, rows x columns. Raises as `mask` does."""
        path = self.paths[image_id]
        try:
            values = image_files.decode(path.read_bytes())
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
        if values.ndim > 2:
            values = _single_channel(values, path)
        if values.shape != (rows, columns):
            raise rle.OtherSizeError(
                f"{path.name} is {values.shape[0]} x {values.shape[1]}, not {rows} x {columns}"
            )
        return values


def find(folder: Path, are_soft: bool = False) -> MaskFiles:
    """The masks under `folder`, at any depth, by image id: the name without its suffix.

    Raises ValueError where the folder holds none, or two share an id.
    """
    paths: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() != SUFFIX or not path.is_file():
            continue
        image_id = image_ids.of(path.name)
        if paths.setdefault(image_id, path) != path:
            raise ValueError(f"two masks have the id {image_id}: {paths[image_id]} and {path}")
    if not paths:
        raise ValueError(f"{folder} holds no mask: looked for {SUFFIX} files")
    return MaskFiles(paths, folder.name, are_soft)


def set_pixels(values: NDArray[np.generic], name: str) -> NDArray[np.bool_]:
    """All that is not 0 in a drawn mask. Raises ValueError where that has more than one value."""
    distinct = np.unique(values)
    if len(distinct[distinct != 0]) > 1:
        raise ValueError(
            f"{name} has {len(distinct)} values from {distinct[0]} to {distinct[-1]}; a mask has 0 "
            "and one other"
        )
    return np.asarray(values != 0)


def _single_channel(values: NDArray[np.generic], path: Path) -> NDArray[np.generic]:
    """The one plane of a mask that was saved in colour; its alpha channel, if any, is no part."""
    colours = values[..., : 1 if values.shape[2] == 2 else 3]
    if (colours != colours[..., :1]).any():
        raise ValueError(f"{path.name} is in colour; a mask is grey")
    return colours[..., 0]
