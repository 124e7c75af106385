"""This holds the start of a stage: the fitted network whose weights it begins with."""

from pathlib import Path

from tfptx import runs
from tfptx.pipeline.material import Material
from tfptx.records import manifest as manifests
from tfptx.runs import StageFolder


def of(run: Path, material: Material, stage: str, pretrained: Path | None) -> StageFolder | None:
    """The finished stage that a stage starts from; None for the encoder's weights of the config.

    Stage 2 starts from stage 1 of its run and fold, stage 1 from the latest stage of a `pretrained`
    run if there is one: of the same fold, or of its only one.
    Raises ValueError where no such stage has finished, where its network may have seen the images
    that are held out now, or where stage 2 is to start from another run.
    """
    if stage != "1":
        if pretrained is not None:
            raise ValueError(
                f"stage {stage} starts from stage 1 of {run}, which may start from {pretrained}"
            )
        return _before(run, material)
    return None if pretrained is None else _pretrained(pretrained, material)


def _before(run: Path, material: Material) -> StageFolder:
    found = runs.finished(run, material.held_out, "1")
    if not _is_of(found, material.records):
        raise ValueError(
            f"{found.path} was fitted on other records than {material.records}; "
            "fit both stages on the same"
        )
    return found


def _pretrained(run: Path, material: Material) -> StageFolder:
    folds = runs.folds(run)
    if material.held_out in folds:
        return runs.finished(run, material.held_out)
    if len(folds) > 1:
        raise ValueError(
            f"{run} has the folds {', '.join(map(str, folds))}, and not fold {material.held_out} "
            "to start from; fit that one too, or name a run of one fold"
        )
    found = runs.finished(run, folds[0])
    if _is_of(found, material.records):
        raise ValueError(
            f"{found.path} was fitted on what fold {material.held_out} of {material.records} holds "
            "out; start from a run of the same fold or of other records"
        )
    return found


def _is_of(folder: StageFolder, records: Path) -> bool:
    return bool(runs.read_environment(folder)["records"] == manifests.read(records).fingerprint)
