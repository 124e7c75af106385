"""This holds the cases of probability maps: radiograph, truth, probability and decision."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfptx.operating_point import maps, outcomes, rule, sweep
from tfptx.operating_point.cells import Advance
from tfptx.operating_point.tables import Point
from tfptx.studies.report import cases
from tfptx.studies.viewer import case_list

STEPS = 255  # of a drawn probability


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
        is_found, is_positive = images["predicted_px"] > 0, images["truth_px"] > 0
        kinds = np.select([is_positive & is_found, is_found, is_positive], ["TP", "FP", "FN"], "TN")
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
        steps = np.rint(levels * (STEPS / rule.LEVELS)).astype(np.uint8)
        image_id = str(found.index["image_id"].iloc[place])
        picture = self._picture_of(image_id) or _preview(found, image_id)
        return case_list.pictures(found.truth(place), mask, steps, picture)


def _preview(found: maps.Maps, image_id: str) -> str | None:
    path = cases.preview_path(found.folder, image_id)
    return cases.data_uri(path.read_bytes(), "jpeg") if path.is_file() else None


def _unheard(share: float) -> None:
    pass
