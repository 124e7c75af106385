"""This holds the collections of images that a report is of: where it was chosen, and elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point import cells, counts
from tfptx.operating_point import maps as maps_on_disk
from tfptx.operating_point.cells import Advance
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.grid import Kind
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.sweep import count
from tfptx.operating_point.tables import Point
from tfptx.studies.report.tables import Swept


@dataclass(frozen=True, eq=False)
class Collection:
    """Maps that are taken as one, with their counts and fingerprints.

    `is_chosen_on` says whether the main point was chosen on any of them, None where that is not
    known.
    """

    maps: list[Maps]
    counted: list[Counts]
    fingerprints: list[str]
    is_chosen_on: bool | None

    @property
    def name(self) -> str:
        """The folders of the maps in words."""
        return ", ".join(dict.fromkeys(each.folder.name for each in self.maps))

    @property
    def words(self) -> str:
        """Their name, and whether the point was chosen on them."""
        origins = {
            True: "where the point was chosen",
            False: "where it was not chosen",
            None: "of which it is not known whether the point was chosen there",
        }
        return f"{self.name}, {origins[self.is_chosen_on]}"

    @property
    def has_pixels(self) -> bool:
        """Whether there is more than counts, so that masks can be drawn."""
        return all(each.flat_levels is not None for each in self.maps)

    def allows(self, kind: Kind) -> bool:
        """Whether a point of a kind can be judged: its rule may ask for pixels or presences."""
        if kind == "presence":
            return not any(np.isnan(each.presence).any() for each in self.counted)
        return kind != "components" or self.has_pixels

    @property
    def truth_px(self) -> NDArray[np.int64]:
        """The true pixels of each image."""
        return cells.images(self.counted).truth_px

    @property
    def image_ids(self) -> set[str]:
        """The ids of all images."""
        return {str(each) for maps in self.maps for each in maps.index["image_id"]}

    def __len__(self) -> int:
        return sum(map(len, self.maps))


def swept(sweep: Swept, advance: Advance) -> Collection:
    """The maps that a sweep was made on. `advance` hears of finished shares of the counting.

    Raises ValueError where they are no longer where they were, or are others by now.
    """
    sources = sweep.origin["maps"]
    found = _collection([maps_on_disk.read(Path(each["folder"])) for each in sources], advance)
    for maps, fingerprint, source in zip(found.maps, found.fingerprints, sources, strict=True):
        if fingerprint != source["fingerprint"]:
            raise ValueError(
                f"{maps.folder} holds other maps than those that were swept; sweep them anew"
            )
    return replace(found, is_chosen_on=True)


def judged(folders: Sequence[Path], point: Point, advance: Advance) -> Collection:
    """Further maps, on which a point is judged. Raises ValueError as `maps.read_several`."""
    found = _collection(maps_on_disk.read_several(folders), advance)
    if point.maps is None:
        return found
    return replace(found, is_chosen_on=point.maps == counts.joined_fingerprint(found.fingerprints))


def _collection(several: list[Maps], advance: Advance) -> Collection:
    counted = count(several, advance)
    return Collection(several, counted, counts.fingerprints(several, counted), None)
