"""This holds the gaps of a report: what is not there, and the command that makes it."""

from dataclasses import dataclass
from pathlib import Path

from tfptx.operating_point.grid import Kind
from tfptx.studies.report import tables
from tfptx.studies.report.tables import Numbers


@dataclass(frozen=True)
class Gap:
    """A part of the report that is not there: what, why, and the command that makes it."""

    reason: str
    command: str


def find(numbers: Numbers, has_fits: bool, has_judgement: bool, study: Path) -> dict[str, Gap]:
    """The gaps of a study by the part that is missing."""
    gaps: dict[str, Gap] = {}
    for kind in tables.KINDS:
        if kind not in numbers.sweeps:
            command = sweep_command(numbers, kind, study)
            gaps[kind] = Gap(f"There is no {kind} sweep yet.", command)
    if numbers.backbones is None:
        command = f"tfptx compare-backbones --config CONFIG --records RECORDS --out {study}"
        gaps["backbones"] = Gap("Backbones have not been compared in this study.", command)
    if not has_fits:
        command = f"tfptx report {study} --run RUN"
        gaps["training"] = Gap("The runs behind the maps were not named.", command)
    if not has_judgement:
        command = f"tfptx report {study} --maps MAPS"
        gaps["judged"] = Gap("No maps were named that the point was not chosen on.", command)
    return gaps


def sweep_command(numbers: Numbers, kind: Kind, study: Path) -> str:
    """The command of a missing sweep, on the maps of the other one where that stands."""
    known = next(iter(numbers.sweeps.values()), None)
    folders = "MAPS" if known is None else " ".join(m["folder"] for m in known.origin["maps"])
    out = study if known is None else numbers.folder
    return f"tfptx sweep {kind} {folders} --out {out}"
