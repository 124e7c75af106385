"""This holds the reading of masks that are drawn as PNG files, one an image."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx import provenance
from tfptx.scans import image_files, image_ids, rle
from tfptx.scans.rle import Runs

SUFFIX = ".png"


@dataclass(frozen=True)
class MaskFiles:
    """The mask of each image as a file; a file of zeros means an empty mask."""

    paths: dict[str, Path]
    name: str = "masks"

    @property
    def ids(self) -> Collection[str]:
        """The ids of the annotated images."""
        return self.paths.keys()

    @property
    def fingerprint(self) -> str:
        """What tells these masks from any others, by their files' names, sizes and times."""
        stats = ((path, path.stat()) for path in self.paths.values())
        return provenance.fingerprint(
            f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats
        )

    def narrowed(self, ids: Iterable[str]) -> "MaskFiles":
        """The masks of some images, and of no others."""
        return MaskFiles({each: self.paths[each] for each in ids if each in self.paths}, self.name)

    def runs(self, image_id: str, rows: int, columns: int) -> list[Runs]:
        """The starts and lengths of an image's mask, all in one part. Raises as `mask` does."""
        return [rle.to_runs(self.mask(image_id, rows, columns))]

    def mask(self, image_id: str, rows: int, columns: int) -> NDArray[np.bool_]:
        """An image's mask: true where its file is not 0.

        Raises ValueError where the file does not decode or has more than two values, and
        OtherSizeError where it is not rows x columns.
        """
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
        return set_pixels(values, path.name)

    def oddity(self, image_id: str, parts_px: int, mask_px: int) -> str:
        """What is odd about an image's annotation: of one file, nothing."""
        return ""


def find(folder: Path) -> MaskFiles:
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
    return MaskFiles(paths, folder.name)


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
        raise ValueError(f"{path.name} is in colour; a mask has 0 and one other value")
    return colours[..., 0]
