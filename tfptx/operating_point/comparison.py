"""This holds the comparison of submissions: each one's figures, and their paired differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from tfptx.operating_point import estimates, paired, score, submissions
from tfptx.operating_point.estimates import Estimate
from tfptx.operating_point.intervals import NUM_RESAMPLES, Bootstrap
from tfptx.operating_point.paired import Difference, System
from tfptx.scans import annotations, folds
from tfptx.scans.annotations import Annotations


@dataclass(frozen=True)
class Ids:
    """The ids of a file that want a look: those that are in one file only, or in several rows.

    `contradictory` are those of which one row says that the mask is empty and another what it is.
    """

    only_in_truth: tuple[str, ...]
    only_in_predictions: tuple[str, ...]
    repeated: tuple[str, ...]
    contradictory: tuple[str, ...]


@dataclass(frozen=True)
class Scored:
    """A file's figures by the names of `score.FIGURES`, and its ids."""

    path: Path
    figures: dict[str, Estimate]
    ids: Ids


@dataclass(frozen=True)
class Comparison:
    """What submissions score on the images that all of them and the truth have.

    `truth_repeated` and `truth_contradictory` are of the truth what `Ids` has of a submission; the
    competition's own truth has the parts of a mask in a row each.
    """

    scored: tuple[Scored, ...]
    differences: tuple[Difference, ...]
    all_empty: dict[str, float]
    truth_repeated: tuple[str, ...]
    truth_contradictory: tuple[str, ...]
    num_images: int
    num_patients: int | None  # None where the images were drawn one by one


def compare(
    predictions: Sequence[Path],
    truth: Path,
    size_px: int,
    groups: Path | None = None,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Score csv files of masks of `size_px` squared against one of the truth.

    `groups` is a csv of image_id and patient_id; without one each image is its own patient.
    Raises ValueError where a run leaves the image, no image is in all files, or a scored image has
    no patient.
    """
    true = annotations.read(truth)
    predicted = [annotations.read(path) for path in predictions]
    image_ids = [each for each in true.rles if all(each in other.rles for other in predicted)]
    if not image_ids:
        raise ValueError(
            f"no image is in {truth} and in {' and '.join(map(str, predictions))}; they begin with "
            + " and ".join(_first(each) for each in (true, *predicted))
        )
    patients = None if groups is None else _patients(groups, image_ids)
    drawn = Bootstrap(patients or image_ids, num_resamples, seed)
    systems = [
        _measure(path, each, truth, true, size_px, image_ids)
        for path, each in zip(predictions, predicted, strict=True)
    ]
    return Comparison(
        scored=tuple(
            Scored(path, _figures(drawn, system), _ids(each, true))
            for path, system, each in zip(predictions, systems, predicted, strict=True)
        ),
        differences=tuple(paired.difference(drawn, *pair) for pair in combinations(systems, 2)),
        all_empty={k: float(v) for k, v in score.all_empty(systems[0].truth_px).items()},
        truth_repeated=tuple(sorted(true.repeated)),
        truth_contradictory=tuple(sorted(true.contradictory)),
        num_images=len(image_ids),
        num_patients=None if patients is None else drawn.num_patients,
    )


def _measure(
    path: Path,
    predicted: Annotations,
    truth: Path,
    true: Annotations,
    size_px: int,
    image_ids: Sequence[str],
) -> System:
    overlap, predicted_px, truth_px = np.array(
        [
            submissions.pixels(
                submissions.runs(predicted, image_id, size_px, path),
                submissions.runs(true, image_id, size_px, truth),
            )
            for image_id in image_ids
        ]
    ).T
    dice = score.dice_of_counts(overlap, predicted_px, truth_px)
    return System(str(path), dice, predicted_px, truth_px)


def _figures(drawn: Bootstrap, system: System) -> dict[str, Estimate]:
    found = estimates.figures(drawn, system.dice, system.predicted_px, system.truth_px)
    return {name: estimates.estimate(figure) for name, figure in found.items()}


def _ids(predicted: Annotations, true: Annotations) -> Ids:
    return Ids(
        only_in_truth=tuple(each for each in true.rles if each not in predicted.rles),
        only_in_predictions=tuple(each for each in predicted.rles if each not in true.rles),
        repeated=tuple(sorted(predicted.repeated)),
        contradictory=tuple(sorted(predicted.contradictory)),
    )


def _patients(groups: Path, image_ids: Sequence[str]) -> list[str]:
    patients = folds.read_groups(groups)
    strangers = [image_id for image_id in image_ids if image_id not in patients]
    if strangers:
        raise ValueError(
            f"{groups} has no row of {len(strangers)} of the {len(image_ids)} images, as "
            f"{strangers[0]}; name every image's patient or leave --groups out"
        )
    return [patients[image_id] for image_id in image_ids]


def _first(table: Annotations) -> str:
    return next(iter(table.rles), "no image at all")
