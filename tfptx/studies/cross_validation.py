"""This holds the cross-validation: one stage fitted with each fold held out in turn."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from tfptx.config import Study
from tfptx.pipeline.material import Further, Material
from tfptx.records import manifest as manifests
from tfptx.runs import StageFolder
from tfptx.scans.folds import TEST
from tfptx.studies.steps import Show
from tfptx.training.devices import ONE, Devices
from tfptx.training.fit import fit


def all_folds(records: Path) -> list[int]:
    """The folds of records, the test share aside. Raises ValueError where there are no records."""
    return sorted({shard.fold for shard in manifests.read(records).shards} - {TEST})


def fit_folds(
    study: Study,
    records: Path,
    further: tuple[Further, ...],
    run: Path,
    folds: Sequence[int],
    stage: str,
    show: Show,
    announce: Callable[[dict[str, Any]], None],
    overwrite: bool,
    devices: Devices = ONE,
    pretrained: Path | None = None,
) -> list[StageFolder]:
    """Fit a stage for each fold. What has finished is left as it is, unless `overwrite`.

    `further` records are trained on beside; stage 1 starts from a `pretrained` run if there is one.
    `show` opens the progress of a named fit, `announce` is given each epoch. Raises ValueError as
    `tfptx.training.fit` does.
    """
    folders = []
    for fold in folds:
        with show(f"fit stage {stage}, fold {fold}") as advance:
            folders.append(
                fit(
                    study,
                    Material(records, fold, further),
                    run,
                    stage,
                    advance,
                    announce,
                    overwrite,
                    devices,
                    pretrained,
                )
            )
        # Else the graphs of all networks so far would stay in memory.
        keras.utils.clear_session()
    return folders
