"""This holds the start of a stage: the fitted network whose weights it begins with."""

from pathlib import Path
from typing import Any

from tfptx import runs
from tfptx.pipeline.material import Material
from tfptx.records import manifest as manifests
from tfptx.runs import StageFolder


def of(run: Path, material: Material, stage: str, pretrained: Path | None) -> StageFolder | None:
    """The finished stage that a stage starts from; None for the encoder's weights of the config.

    Stage 2 starts from stage 1 of its run and fold, stage 1 from the latest stage of a `pretrained`
    run if there is one: of the same fold, or of its only one.
    Raises ValueError where no such stage has finished, where stage 2 is to start from another run,
    a run from itself, or where its fingerprints tell that the network has seen the images that are
    held out now; they don't know whether other records hold the same patients.
    """
    if stage != "1":
        if pretrained is not None:
            raise ValueError(
                f"stage {stage} starts from stage 1 of {run}, which may start from {pretrained}"
            )
        return _before(run, material)
    if pretrained is None:
        return None
    if pretrained.resolve() == run.resolve():
        raise ValueError(f"{run} can't start from itself; name another --run")
    found = _pretrained(pretrained, material.held_out)
    _refuse_what_saw(found, material)
    return found


def lineage(start: StageFolder | None) -> list[dict[str, Any]]:
    """What was fitted, and to which records, before a stage that begins there; the earliest first.

    Each has the fingerprint of its `network` and of its `records`, the `fold` held out of them, the
    `further_records` and the `encoder_weights` of its config.
    """
    if start is None:
        return []
    environment = runs.read_environment(start)
    link = {
        "network": runs.fingerprint(start),
        "records": environment["records"],
        "fold": start.fold,
        "further_records": environment.get("further_records", ""),
        "encoder_weights": runs.read_study(start).network.encoder_weights,
    }
    return [*environment.get("started_from", []), link]


def _before(run: Path, material: Material) -> StageFolder:
    found = runs.finished(run, material.held_out, "1")
    if not _is_of(found, material.records):
        raise ValueError(
            f"{found.path} was fitted on other records than {material.records}; "
            "fit both stages on the same"
        )
    return found


def _pretrained(run: Path, held_out: int) -> StageFolder:
    folds = runs.folds(run)
    if held_out in folds:
        return runs.finished(run, held_out)
    if len(folds) > 1:
        raise ValueError(
            f"{run} has the folds {', '.join(map(str, folds))}, and not fold {held_out} to start "
            "from; fit that one too, or name a run of one fold"
        )
    return runs.finished(run, folds[0])


def _refuse_what_saw(found: StageFolder, material: Material) -> None:
    fingerprint = manifests.read(material.records).fingerprint
    for link in lineage(found):
        is_other_fold = link["records"] == fingerprint and link["fold"] != material.held_out
        # Of further records all folds are trained on.
        if is_other_fold or fingerprint in link["further_records"]:
            raise ValueError(
                f"{found.path}, or what it started from, was fitted on what fold "
                f"{material.held_out} of {material.records} holds out; start from a run of the "
                "same fold or of other records"
            )


def _is_of(folder: StageFolder, records: Path) -> bool:
    return bool(runs.read_environment(folder)["records"] == manifests.read(records).fingerprint)
