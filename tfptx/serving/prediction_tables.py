"""This holds the tables of a predictions folder: its csv files, and what they were made with."""

import collections
import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tfptx import files, provenance
from tfptx.operating_point import submissions
from tfptx.scans.plain_text import cell
from tfptx.serving import findings
from tfptx.serving.findings import Finding
from tfptx.serving.image_output import NO_SEGMENTATION, OVERLAYS, SEGMENTATIONS
from tfptx.serving.outcomes import Outcome

SCHEMA = 1
PREDICTIONS = "predictions.csv"
SKIPPED = "skipped.csv"
ABOUT = "predictions.json"
SKIPPED_COLUMNS = ("path", "reason")
NUM_REASONS = 3  # that an error tells


def write(
    folder: Path, outcomes: Callable[[], Iterable[Outcome]], about: dict[str, Any]
) -> list[Finding]:
    """Write the tables of outcomes, which are gone through twice, and give the findings.

    What an earlier go at these files left of images that are none now is removed.
    Raises ValueError where no image was predicted, with the commonest reasons.
    """
    found: list[Finding] = []
    left: list[Outcome] = []
    for outcome in outcomes():
        if outcome.finding is None:
            left.append(outcome)
        else:
            found.append(outcome.finding)
    num_predicted = sum(not finding.error for finding in found)
    if not num_predicted:
        raise ValueError(_no_image(found, left))
    rows = (
        (cell(outcome.finding.image_id), outcome.run_lengths)
        for outcome in outcomes()
        if outcome.finding is not None and not outcome.finding.error
    )
    submissions.write(folder / PREDICTIONS, rows)
    findings.write(folder / findings.NAME, found)
    _write_skipped(folder / SKIPPED, left)
    _keep(folder / OVERLAYS, {f"{each.image_id}.png" for each in found if not each.error})
    _keep(folder / SEGMENTATIONS, {Path(each.segmentation).name for each in found})
    told = {
        "predicted": num_predicted,
        "positive": sum(bool(finding.decision) for finding in found),
        "without_segmentation": sum(_lacks_segmentation(finding) for finding in found),
        "failed": len(found) - num_predicted,
        "left": len(left),
    }
    content = {"schema": SCHEMA, **about, "counts": told}
    files.write_json(folder / ABOUT, {**content, "environment": provenance.environment()})
    return found


def counts(folder: Path) -> dict[str, int]:
    """How many files were predicted, positive among them, failed or left out.

    Those `without_segmentation` are positive, and have none though they were asked for.
    """
    return dict(files.read_json(folder / ABOUT, SCHEMA)["counts"])


def _lacks_segmentation(finding: Finding) -> bool:
    return bool(finding.decision) and finding.segmentation.startswith(NO_SEGMENTATION)


def _no_image(found: Sequence[Finding], left: Sequence[Outcome]) -> str:
    reasons = [(each.path, each.error) for each in found]
    reasons += [(outcome.file.name, outcome.left) for outcome in left]
    numbers = collections.Counter(reason for _, reason in reasons)
    first = {reason: path for path, reason in reversed(reasons)}
    told = "; ".join(
        f"{count} x {reason} (as {first[reason]})"
        for reason, count in numbers.most_common(NUM_REASONS)
    )
    return f"none of {len(reasons)} files can be predicted: {told}"


def _write_skipped(path: Path, left: Sequence[Outcome]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SKIPPED_COLUMNS)
        writer.writerows((cell(each.file.name), cell(each.left)) for each in left)


def _keep(folder: Path, names: set[str]) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in names:
            path.unlink()
