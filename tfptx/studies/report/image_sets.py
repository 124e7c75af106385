"""This holds the sets of images of a report: where its point was chosen, and where it is judged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tfptx.operating_point.cells import Advance, part_of
from tfptx.studies import assessments
from tfptx.studies.report import collection, gaps, tables
from tfptx.studies.report.collection import Collection, Origin
from tfptx.studies.report.gaps import Gap
from tfptx.studies.report.tables import Numbers, Swept

_MOST_PARTS = 9  # of a path, in a name


@dataclass(frozen=True, eq=False)
class Images:
    """The images of a report: those that its point was chosen on and those it is judged on.

    `problem` says why there are none of the former; `shown` are those of cases and subgroups.
    `is_of_same_networks` says whether those that made the latter are those of the main point, None
    where that is not known.
    """

    chosen: Collection | None
    judged: Collection | None
    problem: Gap | None
    is_of_same_networks: bool | None = None

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
        reason = "There is no sweep, at whose point radiographs are judged and shown."
        command = gaps.sweep_command(numbers, "joint", study)
        return Images(None, None, Gap(reason, (command,)))
    half = part_of(advance, 1 / 2)
    places = judged_on or assessments.maps_judged_on(study, main.point)
    judged = collection.judged(places, half) if places else None
    if judged is not None and not judged.allows(main.kind):
        raise ValueError(
            f"{judged.name} lacks what the point asks for, {main.point.label}: predict whole maps "
            "with the networks of its own"
        )
    chosen, problem = None, None
    try:
        chosen = collection.swept(main, half)
    except (ValueError, OSError) as error:
        command = gaps.sweep_command(numbers, main.kind, study, is_anew=True)
        problem = Gap(f"The maps can't be read: {error}", (command,))
    is_of_same_networks = None
    if judged is not None:
        judged = replace(judged, origin=_origin(judged, chosen, main, numbers.sweeps.values()))
        if main.point.runs and all(each.source["runs"] for each in judged.maps):
            is_of_same_networks = judged.runs == set(main.point.runs)
    return Images(*_told_apart(chosen, judged), problem, is_of_same_networks)


def _origin(
    judged: Collection, chosen: Collection | None, main: Swept, sweeps: Iterable[Swept]
) -> Origin:
    """How maps stand to the points of all sweeps, whose maps may differ or be gone.

    `chosen` are those of the main one. Other fingerprints alone prove nothing: the same radiographs
    with one level altered have another.
    """
    on: dict[str | None, Collection | None] = {main.point.maps: chosen}
    for each in sweeps:
        if each.point.maps not in on:
            on[each.point.maps] = _swept_if_there(each)
    known = [each for each in on.values() if each is not None]
    if judged.fingerprint in on or any(judged.shares_with(each) for each in known):
        return "shared"
    return "apart" if len(known) == len(on) else "unknown"


def _swept_if_there(sweep: Swept) -> Collection | None:
    try:
        return collection.swept(sweep, lambda share: None)
    except (ValueError, OSError):
        return None


def _told_apart(
    chosen: Collection | None, judged: Collection | None
) -> tuple[Collection | None, Collection | None]:
    """The same, with so much of the parents' names that they are not called alike."""
    if chosen is None or judged is None or chosen.fingerprint == judged.fingerprint:
        return chosen, judged
    num_parts = 1
    while chosen.name == judged.name and num_parts < _MOST_PARTS:
        num_parts += 1
        chosen, judged = chosen.named(num_parts), judged.named(num_parts)
    return chosen, judged
