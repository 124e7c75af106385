"""This holds the gaps of a report: what is not there, and the commands that make it."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tfptx import runs
from tfptx.operating_point.grid import Kind
from tfptx.studies.report import tables
from tfptx.studies.report.tables import Numbers

_TO_MAPS = ("--records", "RECORDS", "--out", "MAPS")


@dataclass(frozen=True)
class Gap:
    """A part of the report that is not there: what, why, and the commands that make it."""

    reason: str
    commands: tuple[str, ...]


def find(
    numbers: Numbers,
    has_fits: bool,
    has_judgement: bool,
    study: Path,
    run_folders: Sequence[Path],
    judged_on: Sequence[Path],
) -> dict[str, Gap]:
    """The gaps of a study by the part that is missing.

    `run_folders` and `judged_on` were given to the report, and are given again in its commands.
    """
    gaps: dict[str, Gap] = {}
    for kind in tables.KINDS:
        if kind not in numbers.sweeps:
            commands = [sweep_command(numbers, kind, study)]
            if runs.is_run(study):
                made_by = _command("predict-maps", "--run", study, *_TO_MAPS)
                commands.insert(0, made_by)
            gaps[kind] = Gap(f"There is no {kind} sweep yet.", tuple(commands))
    main = tables.main(numbers.sweeps)
    if main is not None and not tables.can_explore(main):
        reason = "Sliders move pairs and triplets alone, and there is a sweep of neither."
        gaps["explorer"] = Gap(reason, (sweep_command(numbers, "joint", study),))
    if numbers.backbones is None:
        out = "STUDY" if runs.is_run(study) else study
        command = _command(
            "compare-backbones", "--config", "CONFIG", "--records", "RECORDS", "--out", out
        )
        gaps["backbones"] = Gap("Backbones have not been compared in this study.", (command,))
    if not has_fits:
        command = _report(study, ["RUN"], judged_on)
        gaps["training"] = Gap("The runs behind the maps were not named.", (command,))
    if not has_judgement:
        command = _report(study, run_folders, ["MAPS"])
        gaps["judged"] = Gap("No maps were named that the point was not chosen on.", (command,))
    return gaps


def sweep_command(numbers: Numbers, kind: Kind, study: Path, is_anew: bool = False) -> str:
    """The command of a sweep, on the maps of another one where that stands and `is_anew` is not."""
    known = next(iter(numbers.sweeps.values()), None)
    folders = ["MAPS"]
    if known is not None and not is_anew:
        folders = [each["folder"] for each in known.origin["maps"]]
    # A study is of more than one run, so it does not stand in it.
    own = Path("STUDY") if runs.is_run(study) else study
    out = own if known is None else numbers.folder
    return _command("sweep", kind, *folders, "--out", out, *["--overwrite"] * is_anew)


def _report(study: Path, run_folders: Sequence[Path | str], maps: Sequence[Path | str]) -> str:
    named = [part for run in run_folders for part in ("--run", run)]
    return _command("report", study, *named, *(part for each in maps for part in ("--maps", each)))


def _command(*parts: Path | str) -> str:
    """A line that a shell reads as these parts, whatever the folders are called."""
    return shlex.join(["tfptx", *map(str, parts)])
