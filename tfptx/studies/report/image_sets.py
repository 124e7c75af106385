"""This holds the sets of images of a report: where its point was chosen, and where it is judged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tfptx.operating_point.cells import Advance, part_of
from tfptx.studies import assessments
from tfptx.studies.report import collection, gaps, tables
from tfptx.studies.report.collection import Collection
from tfptx.studies.report.gaps import Gap
from tfptx.studies.report.tables import Numbers


@dataclass(frozen=True, eq=False)
class Images:
    """The images of a report: those that its point was chosen on and those it is judged on.

    `problem` says why there are none of the former; `shown` are those of cases and subgroups.
    """

    chosen: Collection | None
    judged: Collection | None
    problem: Gap | None

    @property
    def collections(self) -> list[Collection]:
        """Those that there are."""
        return [each for each in (self.chosen, self.judged) if each is not None]

    @property
    def shown(self) -> Collection | None:
        """Those whose scores are the more honest."""
        return next(reversed(self.collections), None)


def find(numbers: Numbers, study: Path, judged_on: Sequence[Path], advance: Advance) -> Images:
    """The images of a study's main sweep, and those of `judged_on` or of its own assessment.

    Raises ValueError where the latter are no maps; where the former are gone, that is a gap.
    """
    main = tables.main(numbers.sweeps)
    if main is None:
        reason = "There is no sweep, at whose point the cases are shown."
        problem = Gap(reason, gaps.sweep_command(numbers, "joint", study))
        return Images(None, None, problem)
    half = part_of(advance, 1 / 2)
    places = judged_on or assessments.maps_judged_on(study, main.point)
    judged = collection.judged(places, main.point, half) if places else None
    if judged is not None and not judged.allows(main.kind):
        raise ValueError(
            f"{judged.name} lacks what the point asks for, {main.point.label}: predict whole maps "
            "with the networks of its own"
        )
    try:
        chosen = collection.swept(main, half)
    except (ValueError, OSError) as error:
        problem = Gap(f"The maps can't be read: {error}", f"tfptx report {study}")
        return Images(None, judged, problem)
    if judged is not None and chosen.image_ids & judged.image_ids:
        judged = replace(judged, is_chosen_on=True)
    return Images(chosen, judged, None)
