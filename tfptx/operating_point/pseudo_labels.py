"""This holds the pseudo-labels: the maps of a network as masks that records can be built of."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx import files, provenance
from tfptx.operating_point import maps as map_folders
from tfptx.operating_point import rule
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.rule import Rule
from tfptx.scans import codec
from tfptx.scans.mask_files import LEAST_INSIDE, SUFFIX, WHITE

SCHEMA = 1
NAME = "pseudo-labels.json"


@dataclass(frozen=True)
class Certainty:
    """Which images have a sure label, by their largest probability.

    It is below `low` where the mask is empty, and at least `high` where it is not.
    Raises ValueError where these are no probabilities of up to four decimals, in this order.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if rule.level_of(self.low) > rule.level_of(self.high):
            raise ValueError(f"{self.low} is above {self.high}; give the lower probability first")

    def holds(self, levels: NDArray[np.uint16], mask: NDArray[np.bool_]) -> bool:
        """Whether an image's label is sure."""
        highest = int(levels.max())
        if mask.any():
            return highest >= rule.level_of(self.high)
        return highest < rule.level_of(self.low)


@dataclass(frozen=True)
class PseudoLabels:
    """How many masks have a pixel and how many none, and the images without a sure one."""

    num_positive: int
    num_negative: int
    left_out: tuple[str, ...]


def write(
    folder: Path,
    out: Path,
    how: Rule | None,
    certainty: Certainty | None,
    advance: Callable[[float], None],
) -> PseudoLabels:
    """Write the maps of a folder as `<id>.png`, each at its own size, whole or not at all.

    By a rule `how` the masks are hard, 0 and 255; without one they are soft, 255 times the
    probability, and hard from 0.5 on. With `certainty` images without a sure label have no file.
    `advance` is called with each finished share.
    Raises ValueError where there are no maps, only their counts, no label is sure, an id can't be a
    file's name, or the rule asks a presence that the maps lack.
    """
    maps = map_folders.read(folder)
    positive, negative = 0, 0
    left_out: list[str] = []
    with files.writing_folder(out) as temporary:
        for position, image_id in enumerate(maps.index["image_id"]):
            _refuse_path(folder, image_id)
            levels = maps.levels(position)
            grey = _grey(levels, how, maps.presence[position])
            mask = grey >= LEAST_INSIDE
            if certainty is None or certainty.holds(levels, mask):
                (temporary / f"{image_id}{SUFFIX}").write_bytes(codec.to_png(grey))
                positive, negative = positive + bool(mask.any()), negative + (not mask.any())
            else:
                left_out.append(image_id)
            advance(1 / len(maps))
        found = PseudoLabels(positive, negative, tuple(left_out))
        if len(left_out) == len(maps):
            raise ValueError(f"no image of {folder} has a sure label; bring LOW and HIGH together")
        _describe(temporary, maps, how, certainty, found)
    return found


def grey_of(levels: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The grey of probabilities, uint8: WHITE times level / LEVELS, halves rounded up.

    So it is at least LEAST_INSIDE exactly where the level is that of 0.5 or more.
    """
    scaled = levels.astype(np.uint32) * WHITE + rule.LEVELS // 2
    return (scaled // rule.LEVELS).astype(np.uint8)


def _grey(levels: NDArray[np.uint16], how: Rule | None, presence: np.float32) -> NDArray[np.uint8]:
    if how is None:
        return grey_of(levels)
    mask = rule.mask_of_levels(levels, how, presence)
    return np.where(mask, WHITE, 0).astype(np.uint8)


def _refuse_path(folder: Path, image_id: str) -> None:
    if Path(image_id).name != image_id:
        raise ValueError(
            f"{folder / map_folders.INDEX}: {image_id!r} can't be a file's name; give the image an "
            "id that is no path"
        )


def _describe(
    out: Path, maps: Maps, how: Rule | None, certainty: Certainty | None, found: PseudoLabels
) -> None:
    content = {
        "schema": SCHEMA,
        "maps": str(maps.folder.resolve()),
        "source": {name: maps.source[name] for name in ("runs", *map_folders.MANNER)},
        "rule": how and vars(how),
        "certainty": certainty and vars(certainty),
        **vars(found),
        "environment": provenance.environment(),
    }
    files.write_json(out / NAME, content)
