"""This holds the import of maps that other tools predicted: files become a folder of maps."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx import provenance
from tfptx.operating_point import map_files, map_writer, maps, preview, rule
from tfptx.operating_point.maps import Maps
from tfptx.scans import annotations, folds, rle, scan, sources


@dataclass(frozen=True)
class Import:
    """The folder that was made, and what in it was not as the files had it."""

    maps: Maps
    num_resized: int  # maps of another size than their truth
    num_without_map: int  # truths that no map belongs to


def import_maps(
    probabilities: Path,
    truth: Path,
    out: Path,
    advance: Callable[[float], None],
    groups: Path | None = None,
    images: Path | None = None,
    fold: int = 0,
    mask_size_px: int | None = None,
    counts_only: bool = False,
) -> Import:
    """Make maps of the files that `map_files` reads, one an image, and of their truth.

    `truth` is a folder of masks that `map_files` reads too, or a csv of run lengths over
    `mask_size_px` squared, None for the map's own size. A map of another size than its truth is
    resized to it, bilinearly. `groups` is a csv of image ids and patients, without which every
    image counts as a patient of its own; `images` are the radiographs, for the report's previews;
    `fold` is the one that the maps' network had held out. `advance` is called with each finished
    share. The folder appears whole or not at all.
    Raises ValueError where a file can't be used, or an image has no truth or no patient.
    """
    found = map_files.find(probabilities)
    truths = _Masks(truth) if truth.is_dir() else _RunLengths(truth, mask_size_px)
    _refuse_missing(found, truths.ids, "truth", truth)
    patients = {image_id: image_id for image_id in found}
    if groups:
        patients = folds.read_groups(groups)
        _refuse_missing(found, patients, "patient", groups)
    radiographs = {path.stem: path for path in sources.find(images)} if images else {}
    sizes = {image_id: truths.size(image_id, path) for image_id, path in found.items()}
    num_resized = 0
    source = {
        "probabilities": str(probabilities.resolve()),
        "truth": str(truth.resolve()),
        "environment": provenance.environment(),
    }
    with map_writer.writing(out, list(sizes.values()), source, counts_only) as writer:
        for image_id, path in found.items():
            probability = map_files.read_probability(path)
            num_resized += probability.shape != sizes[image_id]
            row = {
                "image_id": image_id,
                "patient_id": patients[image_id],
                "fold": fold,
                "truth_rle": truths.text(image_id, sizes[image_id]),
            }
            writer.append(
                row,
                rule.levels(_resized(probability, sizes[image_id])),
                _preview(radiographs.get(image_id)),
            )
            advance(1 / len(found))
    return Import(maps.read(out), num_resized, len(set(truths.ids) - found.keys()))


class _Masks:
    """The truth as a folder of masks."""

    def __init__(self, folder: Path):
        self._paths = map_files.find(folder)
        self.ids: Collection[str] = self._paths.keys()

    def size(self, image_id: str, map_path: Path) -> tuple[int, int]:
        """The size of an image's mask. Raises ValueError where it lies otherwise than the map."""
        path = self._paths[image_id]
        sides = map_files.orientation(map_path), map_files.orientation(path)
        if None not in sides and sides[0] != sides[1]:
            raise ValueError(
                f"the axes of {map_path} point to {sides[0]}, those of {path} to {sides[1]}; write "
                "both in one orientation"
            )
        return map_files.size(path)

    def text(self, image_id: str, size: tuple[int, int]) -> str:
        """An image's mask as run lengths."""
        return rle.encode(map_files.read_mask(self._paths[image_id]))


class _RunLengths:
    """The truth as the competition's csv."""

    def __init__(self, path: Path, side_px: int | None):
        self._path = path
        self._table = annotations.read(path)
        self._side_px = side_px
        self.ids: Collection[str] = self._table.rles.keys()

    def size(self, image_id: str, map_path: Path) -> tuple[int, int]:
        """The size of an image's mask: that of its map, where nothing else was said."""
        return (self._side_px, self._side_px) if self._side_px else map_files.size(map_path)

    def text(self, image_id: str, size: tuple[int, int]) -> str:
        """An image's mask as run lengths. Raises ValueError where they leave the mask."""
        try:
            return rle.encode(self._table.mask(image_id, *size))
        except ValueError as error:
            raise ValueError(
                f"{self._path}: {image_id}: {error}; name the side of the masks with --mask-size"
            ) from error


def _refuse_missing(
    found: Mapping[str, Path], known: Collection[str], what: str, source: Path
) -> None:
    missing = sorted(found.keys() - set(known))
    if missing:
        raise ValueError(
            f"{len(missing)} maps have no {what} in {source}, as {missing[0]}; a map's id is its "
            "name without suffix"
        )


def _resized(probability: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    if probability.shape == size:
        return probability
    resized = cv2.resize(probability, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(resized, 0, 1), np.float32)


def _preview(path: Path | None) -> bytes | None:
    return None if path is None else preview.jpeg(scan.pixels(sources.read(path)))
