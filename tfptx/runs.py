"""This holds the run folder: where the config, weights, history and state of each stage lie."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from tfptx import config, files, provenance
from tfptx.config import StageName, Study

ENVIRONMENT_SCHEMA = 1
RESULT_SCHEMA = 1


@dataclass(frozen=True)
class StageFolder:
    """RUN/fold<K>/stage<N>: one stage of the study, with fold K held out for validation."""

    path: Path
    fold: int
    stage: str

    @property
    def config_toml(self) -> Path:
        """The resolved config of the fit."""
        return self.path / "config.toml"

    @property
    def history_csv(self) -> Path:
        """One row for each finished epoch."""
        return self.path / "history.csv"

    @property
    def best_weights(self) -> Path:
        """The network's weights of its best epoch or average, without the optimizer's."""
        return self.path / "best.weights.h5"

    @property
    def checkpoints(self) -> Path:
        """The weights of the best epochs and of those that end a cycle, as the config asks."""
        return self.path / "checkpoints"

    @property
    def result_json(self) -> Path:
        """The best epoch and its scores; it stands once the fit has ended."""
        return self.path / "result.json"

    @property
    def environment_json(self) -> Path:
        """What the fit was made from, and the machine and versions that it ran on."""
        return self.path / "environment.json"

    @property
    def state(self) -> Path:
        """What a fit that was cut off goes on from."""
        return self.path / "state"

    @property
    def logs(self) -> Path:
        """TensorBoard's event files."""
        return self.path / "logs"

    @property
    def is_finished(self) -> bool:
        """Whether the fit has ended, so that its best weights are its last word."""
        return self.result_json.is_file() and self.best_weights.is_file()


def stage_folder(run: Path, fold: int, stage: str) -> StageFolder:
    """The place of one stage of one fold, whether or not it stands yet."""
    return StageFolder(run / f"fold{fold}" / f"stage{stage}", fold, stage)


def stages(run: Path, fold: int) -> list[StageFolder]:
    """The places of a fold's stages in their order, whether or not they stand yet."""
    return [stage_folder(run, fold, stage) for stage in get_args(StageName)]


def folds(run: Path) -> list[int]:
    """The folds of which a stage was begun in a run. Raises ValueError where there are none."""
    names = (path.name for path in run.iterdir()) if run.is_dir() else ()
    numbers = [int(match[1]) for name in names if (match := re.fullmatch(r"fold(\d+)", name))]
    found = sorted(
        fold
        for fold in numbers
        # The range test of the learning rate leaves a folder without a fit.
        if any(stage.config_toml.is_file() for stage in stages(run, fold))
    )
    if not found:
        raise ValueError(f"no run at {run}: it holds no fold<K>/; make it with tfptx fit --run")
    return found


def is_run(folder: Path) -> bool:
    """Whether a stage was begun in a folder."""
    try:
        return bool(folds(folder))
    except ValueError:
        return False


def finished(run: Path, fold: int, stage: str | None = None) -> StageFolder:
    """The named stage of a fold, or its latest finished one.

    Raises ValueError where no such stage has finished.
    """
    candidates = [stage_folder(run, fold, stage)] if stage else stages(run, fold)
    for folder in reversed(candidates):
        if folder.is_finished:
            return folder
    wanted = f"stage {stage}" if stage else "any stage"
    raise ValueError(
        f"{run} has not finished {wanted} of fold {fold}; "
        f"run tfptx fit --run {run} --fold {fold} --stage {candidates[0].stage}"
    )


def read_study(folder: StageFolder) -> Study:
    """The resolved config of a stage's fit. Raises ValueError where there is none."""
    if not folder.config_toml.is_file():
        raise ValueError(f"no fit at {folder.path}: it holds no {folder.config_toml.name}")
    return config.read(folder.config_toml)


def read_history(folder: StageFolder) -> pd.DataFrame:
    """The epochs of a stage, one row each. Raises ValueError where none has ended."""
    if not folder.history_csv.is_file():
        raise ValueError(f"{folder.path} holds no history: no epoch of this stage has ended")
    return pd.read_csv(folder.history_csv)


def write_history(folder: StageFolder, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the epochs of a stage, one row each."""
    with files.writing(folder.history_csv) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False)


def write_environment(folder: StageFolder, noted: Mapping[str, Any]) -> None:
    """Note what a fit is made from and its devices, by name, and the environment it runs in."""
    content = {"schema": ENVIRONMENT_SCHEMA, **noted, **provenance.environment()}
    files.write_json(folder.environment_json, content)


def add_environment(folder: StageFolder, here: Mapping[str, Any]) -> None:
    """Note where a fit that was cut off goes on: devices and environment."""
    content = read_environment(folder)
    content["continued"] = [*content.get("continued", []), here]
    files.write_json(folder.environment_json, content)


def read_environment(folder: StageFolder) -> dict[str, Any]:
    """What a fit was made from and where it ran."""
    return files.read_json(folder.environment_json, ENVIRONMENT_SCHEMA)


def records_of(facts: Mapping[str, Any]) -> str:
    """The records that an environment or a link of its lineage names, by short fingerprints."""
    further = re.findall(r"(\S+) of (\w+)", facts.get("further_records", ""))
    return ", ".join(
        [
            provenance.short(str(facts["records"])),
            *(f"{float(share):.0%} of {provenance.short(each)}" for share, each in further),
        ]
    )


def write_result(folder: StageFolder, result: dict[str, Any]) -> None:
    """Mark a stage as finished, with its best epoch and the scores of that."""
    files.write_json(folder.result_json, {"schema": RESULT_SCHEMA, **result})


def read_result(folder: StageFolder) -> dict[str, Any]:
    """The best epoch of a finished stage and its scores."""
    return files.read_json(folder.result_json, RESULT_SCHEMA)


def fingerprint(folder: StageFolder) -> str:
    """What tells a stage's network from any other: its config and its best weights."""
    return provenance.fingerprint(
        provenance.sha256_of_file(path) for path in (folder.config_toml, folder.best_weights)
    )
