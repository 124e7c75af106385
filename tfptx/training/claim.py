"""This holds the claim on a stage's folder: it belongs to one config, records and start."""

from pathlib import Path

from tfptx import config, files, provenance, runs
from tfptx.config import Study
from tfptx.records import manifest as manifests
from tfptx.runs import StageFolder


def made_from(study: Study, records: Path, predecessor: StageFolder | None) -> dict[str, str]:
    """Give the fingerprints of the records and of the weights that a fit starts from.

    Raises ValueError where the stage before was fitted on other records: its network may have seen
    the images that are held out now.
    """
    fingerprint = manifests.read(records).fingerprint
    if predecessor is None:
        return {"records": fingerprint, "initial_weights": _encoder_weights(study)}
    if runs.read_environment(predecessor)["records"] != fingerprint:
        raise ValueError(
            f"{predecessor.path} was fitted on other records than {records}; "
            "fit both stages on the same"
        )
    return {"records": fingerprint, "initial_weights": runs.fingerprint(predecessor)}


def check(folder: StageFolder, study: Study, made_from: dict[str, str]) -> None:
    """Refuse, with a ValueError, a folder that holds a fit of anything else.

    Until its first epoch has ended a folder holds no fit. Of the config only what shapes this stage
    counts: another one may change.
    """
    if not folder.history_csv.is_file():
        return
    if _shape(runs.read_study(folder), folder.stage) != _shape(study, folder.stage):
        raise ValueError(
            f"{folder.path} holds a fit of another config; name another folder or remove this one"
        )
    found = runs.read_environment(folder)
    for name, value in made_from.items():
        if found[name] != value:
            raise ValueError(
                f"{folder.path} holds a fit from other {name.replace('_', ' ')}; "
                "name another folder or remove this one"
            )


def write(folder: StageFolder, study: Study, made_from: dict[str, str]) -> None:
    """Note what the fit is made of."""
    runs.write_environment(folder, made_from)
    files.write_text(folder.config_toml, config.to_toml(study))


def _encoder_weights(study: Study) -> str:
    path = Path(study.network.encoder_weights)
    return provenance.sha256_of_file(path) if path.is_file() else str(path)


def _shape(study: Study, stage: str) -> tuple[object, ...]:
    return (
        study.seed,
        study.network,
        study.augmentation,
        study.operating_point,
        study.plan(stage),
    )
