"""This holds the collections of images that a report is of: where it was chosen, and elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point import cells, counts
from tfptx.operating_point import maps as maps_on_disk
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.grid import Kind
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.tables import Point
from tfptx.studies.report.tables import Swept

TEST_MAPS = "maps-test"  # in a study: the maps of its test share


@dataclass(frozen=True, eq=False)
class Collection:
    """Maps that are taken as one, their counts, and whether the main point was chosen on any.

    That is None where the point does not say.
    """

    maps: list[Maps]
    counted: list[Counts]
    is_chosen_on: bool | None

    @property
    def name(self) -> str:
        """The folders of the maps in words."""
        return ", ".join(dict.fromkeys(each.folder.name for each in self.maps))

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


def swept(sweep: Swept) -> Collection:
    """The maps that a sweep was made on.

    Raises ValueError where they are no longer where they were, or are others by now.
    """
    several, counted = [], []
    for source in sweep.origin["maps"]:
        maps = maps_on_disk.read(Path(source["folder"]))
        counted.append(_counted(maps))
        if counts.fingerprint(maps, counted[-1]) != source["fingerprint"]:
            raise ValueError(
                f"{maps.folder} holds other maps than those that were swept; sweep them anew"
            )
        several.append(maps)
    return Collection(several, counted, is_chosen_on=True)


def judged(folders: Sequence[Path], point: Point) -> Collection:
    """Further maps, on which a point is judged. Raises ValueError as `maps.read_several`."""
    several = maps_on_disk.read_several(folders)
    counted = [_counted(each) for each in several]
    found = counts.joined_fingerprint(counts.fingerprints(several, counted))
    return Collection(several, counted, None if point.maps is None else point.maps == found)


def _counted(maps: Maps) -> Counts:
    return counts.of(maps, lambda share: None)
