"""This holds the cases of probability maps: radiograph, truth, probability and decision."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tfptx.operating_point import maps, outcomes, rule, sweep
from tfptx.operating_point.cells import Advance
from tfptx.operating_point.tables import Point
from tfptx.studies.report import drawing, previews
from tfptx.studies.viewer import case_list


class MapCases:
    """The cases of maps that are taken as one, at an operating point.

    `picture_of` gives the radiograph of an image id as a data URI, if it has it; else the maps' own
    preview is shown. Raises ValueError where the maps have no truth or no pixels, or don't belong
    together.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        point: Point,
        advance: Advance,
        picture_of: Callable[[str], str | None] = lambda image_id: None,
    ) -> None:
        several = maps.read_several(folders)
        for each in several:
            each.levels(0)  # refuses counts without maps
        images = outcomes.of_counts(several, sweep.count(several, advance), point, _unheard)
        pixels = (images[name].to_numpy() for name in ("predicted_px", "truth_px"))
        kinds = outcomes.names(*pixels)
        self.groups = case_list.groups(images)
        self.title = ", ".join(str(folder) for folder in folders)
        self.detail = f"Masks are those of {point.label}."
        self.rows = case_list.rows(
            images, kinds.tolist(), images["dice"].tolist(), images["predicted_px"].tolist()
        )
        self._point = point
        self._picture_of = picture_of
        self._places = [(each, position) for each in several for position in range(len(each))]

    def case(self, position: int) -> dict[str, Any]:
        """See `case_list.Cases`."""
        found, place = self._places[position]
        levels = found.levels(place)
        mask = rule.mask_of_levels(levels, self._point.rule, found.presence[place])
        image_id = str(found.index["image_id"].iloc[place])
        picture = self._picture_of(image_id) or previews.uri(found, place)
        return case_list.pictures(found.truth(place), mask, drawing.steps(levels), picture)


def _unheard(share: float) -> None:
    pass
