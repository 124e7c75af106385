"""This holds the claim on a stage's folder: it belongs to one config, records and start."""

from pathlib import Path

from tfptx import config, files, runs
from tfptx.config import Study
from tfptx.records import manifest as manifests
from tfptx.runs import StageFolder


def claim(
    folder: StageFolder, study: Study, records: Path, predecessor: StageFolder | None
) -> None:
    """Write what the fit is made of, or check that the folder holds just such a fit.

    Until its first epoch has ended a folder holds no fit, and another may take it.
    Raises ValueError where it holds one of another config, other records or other weights to start
    from.
    """
    made_of = {
        "records": manifests.read(records).fingerprint,
        "initial_weights": (
            runs.fingerprint(predecessor) if predecessor else study.network.encoder_weights
        ),
    }
    if folder.history_csv.is_file():
        if runs.read_study(folder) != study:
            raise ValueError(
                f"{folder.path} holds a fit of another config; name another folder or pass "
                "--overwrite"
            )
        found = runs.read_environment(folder)
        for name, value in made_of.items():
            if found[name] != value:
                raise ValueError(
                    f"{folder.path} holds a fit from other {name.replace('_', ' ')}; "
                    "name another folder or pass --overwrite"
                )
        return
    runs.write_environment(folder, made_of)
    files.write_text(folder.config_toml, config.to_toml(study))
