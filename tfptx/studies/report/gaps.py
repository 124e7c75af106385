"""This holds the gaps of a report: what is not there, and the command that makes it."""

from dataclasses import dataclass
from pathlib import Path

from tfptx import runs
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
            reason = f"There is no {kind} sweep yet."
            if runs.is_run(study):
                maps = f"tfptx predict-maps --run {study} --records RECORDS --out MAPS"
                reason += f" It is of the maps that {maps} makes."
            gaps[kind] = Gap(reason, sweep_command(numbers, kind, study))
    if numbers.backbones is None:
        out = "STUDY" if runs.is_run(study) else study
        command = f"tfptx compare-backbones --config CONFIG --records RECORDS --out {out}"
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
    # A study is of more than one run, so it does not stand in it.
    own = Path("STUDY") if runs.is_run(study) else study
    out = own if known is None else numbers.folder
    return f"tfptx sweep {kind} {folders} --out {out}"
