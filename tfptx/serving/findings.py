"""This holds the findings on disk: what was found in each image, and why in some nothing could."""

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

NAME = "findings.csv"


@dataclass(frozen=True)
class Finding:
    """One image; where it has an `error` nothing else is known.

    `mask_px` are pixels of the image's own size. `area_mm2` takes them as square, of the scan's one
    spacing, its rows'; it is None where the spacing is unknown. `presence` is the probability of
    any mask where the networks have a head that says so.
    """

    image_id: str
    decision: bool | None = None
    mask_px: int | None = None
    area_mm2: float | None = None
    largest_probability: float | None = None
    presence: float | None = None
    error: str = ""


def write(path: Path, findings: Iterable[Finding]) -> None:
    """Write findings as csv: a decision is 1 or 0, what is not known an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Finding))
        for finding in findings:
            image_id, decision, *rest = astuple(finding)
            writer.writerow([image_id, None if decision is None else int(decision), *rest])
