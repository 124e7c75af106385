"""This holds what a model card says of the networks: data, folds, training, licence of weights."""

from collections.abc import Sequence
from typing import Any

from tfptx import provenance, runs
from tfptx.config import Study
from tfptx.runs import StageFolder
from tfptx.serving.card_facts import Facts
from tfptx.serving.card_tables import table
from tfptx.stage_config import Stage

ORIGINS = {
    "random": "random numbers",
    "imagenet": "ImageNet, by the encoder's package",
}


def networks(folders: Sequence[StageFolder]) -> str:
    """A row for each network."""
    head = ("encoder", "study", "stage", "fold held out", "epochs", "best", "records", "network")
    return table(head, map(_network, folders))


def training(folders: Sequence[StageFolder]) -> str:
    """How the networks were fitted: a table of the stages for each study."""
    head = ("stage", "px", "batch", "epochs", "rate", "loss terms, by the epoch that they begin at")
    found = []
    for study in studies(folders):
        origins = {_origin(folder): None for folder in folders if runs.read_study(folder) == study}
        rows = [(name, *_stage(stage)) for name, stage in study.stage.items()]
        found.append(
            f"Study {study.name}, seed {study.seed}: {'; or '.join(origins)}.\n\n"
            f"{table(head, rows)}"
        )
    return "\n\n".join(found)


def seen(folders: Sequence[StageFolder]) -> str:
    """Which folds of which records the networks were fitted to."""
    own = "Each network was fitted to the folds of its records that it did not hold out."
    if not any(map(_has_further, folders)):
        return own
    return (
        f"{own} Of further records, pseudo-labelled or generated ones as it may be, it saw all "
        "folds, as the share of each epoch that stands with them, but no image or patient whose id "
        "is held out."
    )


def licence(facts: Facts) -> str:
    """What is known of the weights' licence."""
    origins = set(map(_encoder_weights, facts.folders))
    lines = [
        "The code that made and reads these weights is under the MIT licence. The weights are not "
        "part of it: what they may be used for follows from the images that they were fitted to, "
        "which the run does not know. Write it here before you pass them on."
    ]
    if "imagenet" in origins:
        lines.append(
            "The encoders began from ImageNet weights; ImageNet gives its images for "
            "non-commercial research."
        )
    if any(origin not in ORIGINS for origin in origins):
        lines.append("The encoders began from a file of weights, whose licence holds too.")
    if any(map(_pretraining, facts.folders)):
        lines.append(
            "They began from networks fitted to other records, whose images' terms hold too."
        )
    if any(map(_has_further, facts.folders)):
        lines.append("So do those of the further records that they were fitted to.")
    return " ".join(lines)


def studies(folders: Sequence[StageFolder]) -> list[Study]:
    """The studies of networks, each once."""
    found: list[Study] = []
    for study in map(runs.read_study, folders):
        if study not in found:
            found.append(study)
    return found


def _pretraining(folder: StageFolder) -> list[dict[str, Any]]:
    """What was fitted before the run's own stage 1, the earliest first."""
    before: list[dict[str, Any]] = runs.read_environment(folder).get("started_from", [])
    return before if folder.stage == "1" else before[:-1]


def _encoder_weights(folder: StageFolder) -> str:
    """The weights that the encoder had before anything was fitted."""
    for link in _pretraining(folder):
        return str(link["encoder_weights"])
    return runs.read_study(folder).network.encoder_weights


def _origin(folder: StageFolder) -> str:
    weights = _encoder_weights(folder)
    encoder = runs.read_study(folder).network.encoder
    first = (
        f"the encoder {encoder} began from {ORIGINS.get(weights, weights)}, the decoder from "
        "random numbers"
    )
    records = {runs.records_of(link): None for link in _pretraining(folder)}
    if not records:
        return first
    fitted_to = ", then ".join(records)
    return f"all layers began from a network fitted to the records {fitted_to}; {first}"


def _records(folder: StageFolder) -> str:
    """What the stages of the run were fitted to, once where it was the same."""
    return ", then ".join({runs.records_of(facts): None for facts in _stages(folder)})


def _has_further(folder: StageFolder) -> bool:
    return any(facts.get("further_records") for facts in _stages(folder))


def _stages(folder: StageFolder) -> list[dict[str, Any]]:
    """What the run noted of its stages up to this one."""
    environment = runs.read_environment(folder)
    before = environment.get("started_from", [])[len(_pretraining(folder)) :]
    return [*before, environment]


def _network(folder: StageFolder) -> tuple[object, ...]:
    study, result = runs.read_study(folder), runs.read_result(folder)
    return (
        study.network.encoder,
        study.name,
        folder.stage,
        folder.fold,
        result.get("epochs"),
        result.get("epoch"),
        _records(folder),
        provenance.short(runs.fingerprint(folder)),
    )


def _stage(stage: Stage) -> tuple[object, ...]:
    rate = stage.rate
    return (
        stage.size_px,
        stage.batch_size * stage.accumulated_batches,
        stage.epochs,
        f"{rate.schedule}, {rate.smallest:g} to {rate.largest:g}",
        "; ".join(
            f"{phase.from_epoch}: {', '.join(name for name, w in phase.weights.items() if w)}"
            for phase in stage.curriculum
        ),
    )
