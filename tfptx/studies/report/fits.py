"""This holds the fits that a report shows: config, history and result of each stage of its runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tfptx import config, runs
from tfptx.config import Study
from tfptx.runs import StageFolder
from tfptx.stage_config import Stage


@dataclass(frozen=True)
class Fit:
    """One stage as far as it has come; `result` and `fingerprint` are None until it has ended."""

    folder: StageFolder
    study: Study
    history: pd.DataFrame
    environment: dict[str, Any]
    result: dict[str, Any] | None
    fingerprint: str | None

    @property
    def plan(self) -> Stage:
        """The stage's part of the config."""
        return self.study.plan(self.folder.stage)

    @property
    def config_toml(self) -> str:
        """The resolved config as it was written."""
        return config.to_toml(self.study)


def read(run_folders: Sequence[Path]) -> list[list[Fit]]:
    """The fits of every run and fold, the stages of one fold together and in their order.

    A stage of which no epoch has ended is left out. Raises ValueError where a folder is no run.
    """
    found = []
    for run in run_folders:
        for fold in runs.folds(run):
            places = runs.stages(run, fold)
            stages = [_fit(folder) for folder in places if folder.history_csv.is_file()]
            if stages:
                found.append(stages)
    return found


def _fit(folder: StageFolder) -> Fit:
    is_finished = folder.is_finished
    return Fit(
        folder=folder,
        study=runs.read_study(folder),
        history=runs.read_history(folder),
        environment=runs.read_environment(folder),
        result=runs.read_result(folder) if is_finished else None,
        fingerprint=runs.fingerprint(folder) if is_finished else None,
    )
