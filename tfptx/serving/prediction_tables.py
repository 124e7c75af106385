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
from tfptx.serving.image_output import OVERLAYS, SEGMENTATIONS
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
    counts = {"predicted": num_predicted, "failed": len(found) - num_predicted, "left": len(left)}
    content = {"schema": SCHEMA, **about, "counts": counts}
    files.write_json(folder / ABOUT, {**content, "environment": provenance.environment()})
    return found


def num_left(folder: Path) -> int:
    """How many files no image was predicted of because they are none to predict."""
    return int(files.read_json(folder / ABOUT, SCHEMA)["counts"]["left"])


def _no_image(found: Sequence[Finding], left: Sequence[Outcome]) -> str:
    reasons = [(each.path, each.error) for each in found]
    reasons += [(outcome.file.name, outcome.left) for outcome in left]
    counts = collections.Counter(reason for _, reason in reasons)
    first = {reason: path for path, reason in reversed(reasons)}
    told = "; ".join(
        f"{count} x {reason} (as {first[reason]})"
        for reason, count in counts.most_common(NUM_REASONS)
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
