"""This holds the claim on a stage's folder: it belongs to one config, records and start."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfptx import config, files, provenance, runs
from tfptx.config import Study
from tfptx.pipeline.material import Material
from tfptx.records import manifest as manifests
from tfptx.runs import StageFolder
from tfptx.training.devices import Devices


def made_from(study: Study, material: Material, predecessor: StageFolder | None) -> dict[str, str]:
    """Give the fingerprints of the material and of the weights that a fit starts from."""
    fingerprint = manifests.read(material.records).fingerprint
    further = {
        "further_records": " ".join(
            f"{each.share:g} of {manifests.read(each.records).fingerprint}"
            for each in material.further
        )
    }
    weights = _encoder_weights(study) if predecessor is None else runs.fingerprint(predecessor)
    return {"records": fingerprint, **further, "initial_weights": weights}


def check(folder: StageFolder, study: Study, made_from: dict[str, str]) -> None:
    """Refuse, with a ValueError, a folder that holds a fit of anything else.

    Until a state of it is kept a folder holds no fit. Of the config only what shapes the result of
    this stage counts: another stage, or how often the state is kept, may change.
    """
    if not holds_fit(folder):
        return
    if _shape(runs.read_study(folder), folder.stage) != _shape(study, folder.stage):
        raise ValueError(
            f"{folder.path} holds a fit of another config; name another folder or remove this one"
        )
    found = runs.read_environment(folder)
    for name, value in made_from.items():
        # The first fits did not know of further records.
        if found.get(name, "") != value:
            raise ValueError(
                f"{folder.path} holds a fit from other {name.replace('_', ' ')}; give those that "
                "it was begun with, name another folder or remove this one"
            )


def facts(folder: StageFolder, study: Study, made_from: dict[str, str]) -> dict[str, str]:
    """What all processes of a fit must have alike, by name."""
    now = provenance.environment()
    return {
        "config": f"{config.to_toml(study)} {folder.fold} {folder.stage}",
        **{name.replace("_", " "): value for name, value in made_from.items()},
        "versions": f"{now['packages']} {now['code']}",
    }


def holds_fit(folder: StageFolder) -> bool:
    """Whether a folder holds a fit that has come so far that it can go on."""
    return folder.history_csv.is_file() or folder.state.is_dir()


@contextlib.contextmanager
def alone(folder: StageFolder) -> Iterator[None]:
    """Keep other processes from fitting a stage of this fold while the block runs.

    The fold's folder is what is locked, so that nothing is left behind where a process is killed.
    Raises ValueError where another one is at work.
    """
    fold = folder.path.parent
    refusal = f"another process fits in {fold}; wait until it has ended, or name another --run"
    with files.alone(fold, refusal):
        yield


def write(folder: StageFolder, study: Study, facts: dict[str, Any]) -> None:
    """Note what the fit is made of and where it runs: `made_from` and other facts."""
    runs.write_environment(folder, facts)
    files.write_text(folder.config_toml, config.to_toml(study))


def renew(folder: StageFolder, study: Study, devices: Devices) -> list[str]:
    """Note where a fit goes on, and with which settings of other stages; tell what has changed.

    Each change is a package with its versions then and now, Keras's backend or the number of
    devices or processes likewise, or the code of this one.
    """
    then, now = runs.read_environment(folder), provenance.environment()
    then = then.get("continued", [then])[-1]
    changes = [
        f"{name} {then['packages'].get(name)} is now {version}"
        for name, version in now["packages"].items()
        if then["packages"].get(name) != version
    ]
    facts = devices.facts()
    # The first fits did not note them.
    changes += [
        f"{name} {then[name]} is now {fact}"
        for name, fact in facts.items()
        if then.get(name, fact) != fact
    ]
    if then["code"] != now["code"]:
        changes.append("the code of tfptx is another")
    if changes or then["python"] != now["python"]:
        runs.add_environment(folder, {**facts, **now})
    files.write_text(folder.config_toml, config.to_toml(study))
    return changes


def _encoder_weights(study: Study) -> str:
    path = Path(study.network.encoder_weights)
    return provenance.sha256_of_file(path) if path.is_file() else str(path)


def _shape(study: Study, stage: str) -> tuple[object, ...]:
    return (
        study.seed,
        study.network,
        study.augmentation,
        study.operating_point,
        study.plan(stage).model_copy(update={"checkpoint_every_steps": 0}),
    )
