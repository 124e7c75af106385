"""This holds the collections of images that a report is of: where it was chosen, and elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point import cells, counts
from tfptx.operating_point import maps as maps_on_disk
from tfptx.operating_point.cells import Advance
from tfptx.operating_point.counts import Counts
from tfptx.operating_point.grid import Kind
from tfptx.operating_point.maps import Maps
from tfptx.operating_point.sweep import count
from tfptx.studies.report.tables import Swept

# How images stand to the points: these were chosen on them, on some of them or other images of
# their patients, on none of either, or that can't be told.
Origin = Literal["chosen", "shared", "apart", "unknown"]
ORIGINS: dict[Origin, str] = {
    "chosen": "where the point was chosen",
    "shared": "some of whose radiographs or patients a point was chosen on",
    "apart": "where no point was chosen",
    "unknown": "of which it is not known whether a point was chosen there",
}


@dataclass(frozen=True, eq=False)
class Collection:
    """Maps that are taken as one, with their counts and fingerprints."""

    maps: list[Maps]
    counted: list[Counts]
    fingerprints: list[str]
    origin: Origin
    name: str

    @property
    def fingerprint(self) -> str:
        """That of all maps, as a point knows it."""
        return counts.joined_fingerprint(self.fingerprints)

    @property
    def words(self) -> str:
        """Their name, and how they stand to the points."""
        return f"{self.name}, {ORIGINS[self.origin]}"

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
        return self._of_index("image_id")

    @property
    def patient_ids(self) -> set[str]:
        """The ids of all patients that are known."""
        return self._of_index("patient_id") - {""}

    @property
    def runs(self) -> set[str]:
        """The fingerprints of the networks that made the maps, as far as these say."""
        return {run for maps in self.maps for run in maps.source["runs"]}

    def named(self, num_parts: int) -> "Collection":
        """The same, called by the last parts of the paths of its folders."""
        parts = (each.folder.resolve().parts[-num_parts:] for each in self.maps)
        return replace(self, name=", ".join(dict.fromkeys(str(Path(*each)) for each in parts)))

    def shares_with(self, other: "Collection") -> bool:
        """Whether an image or a patient is in both."""
        return bool(self.image_ids & other.image_ids or self.patient_ids & other.patient_ids)

    def _of_index(self, name: str) -> set[str]:
        return {str(each) for maps in self.maps for each in maps.index[name]}

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
    return replace(found, origin="chosen")


def judged(folders: Sequence[Path], advance: Advance) -> Collection:
    """Further maps, on which a point is judged, of an origin that `image_sets` finds.

    Raises ValueError as `maps.read_several`.
    """
    return _collection(maps_on_disk.read_several(folders), advance)


def _collection(several: list[Maps], advance: Advance) -> Collection:
    counted = count(several, advance)
    name = ", ".join(dict.fromkeys(each.folder.name for each in several))
    return Collection(several, counted, counts.fingerprints(several, counted), "unknown", name)
