"""This holds the way from run folders to networks with their best weights."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import keras

from tfptx import runs
from tfptx.config import Network
from tfptx.network import unet
from tfptx.runs import StageFolder
from tfptx.stage_config import HeadName


def network(folder: StageFolder, size_px: int | None = None) -> keras.Model:
    """The network of a finished stage with its best weights, for images of one or of any size.

    Raises ValueError where the weights are not those of the stage's config.
    """
    settings = runs.read_study(folder).network
    model = built(settings, size_px)
    try:
        with warnings.catch_warnings():
            # Keras warns of layers that the file lacks, and leaves them as they are: random.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(folder.best_weights)
    except (ValueError, OSError, UserWarning) as error:
        raise ValueError(
            f"{folder.best_weights} holds no weights of a U-Net with {settings.encoder} and the "
            f"config's decoder and heads; fit the stage anew: {error}"
        ) from error
    return model


def built(settings: Network, size_px: int | None) -> keras.Model:
    """A config's network with random weights."""
    return unet.build(settings.encoder, size_px, decoder=settings.decoder, heads=settings.heads)


def finished(
    run_folders: Sequence[Path], folds: Iterable[int], stage: str | None
) -> list[StageFolder]:
    """The named or latest finished stage of every run in every fold.

    Raises ValueError where one has not finished, or where stage, heads or size differ between them.
    """
    wanted = list(folds)
    folders = [runs.finished(run, fold, stage) for run in run_folders for fold in wanted]
    first, *others = folders
    for other in others:
        if other.stage != first.stage:
            raise ValueError(
                f"{first.path} and {other.path} are of different stages; name one with --stage"
            )
        if _heads(other) != _heads(first):
            raise ValueError(
                f"{first.path} has the heads {_heads(first)}, {other.path} {_heads(other)}; "
                "average networks of the same"
            )
        if size_px(other) != size_px(first):
            raise ValueError(
                f"{first.path} was fitted at {size_px(first)} px, {other.path} at "
                f"{size_px(other)} px; average networks of one size"
            )
    return folders


def refuse_without(folders: Iterable[StageFolder], head: HeadName) -> None:
    """Raise ValueError where a stage was fitted without this head."""
    for folder in folders:
        if head not in runs.read_study(folder).network.heads:
            raise ValueError(
                f"{folder.path} was fitted without the head {head}; fit a study with heads = "
                f'["{head}"] under [network]'
            )


def common_folds(run_folders: Sequence[Path]) -> list[int]:
    """The folds that all runs have. Raises ValueError where there are none."""
    found = set.intersection(*(set(runs.folds(run)) for run in run_folders))
    if not found:
        raise ValueError(f"{', '.join(map(str, run_folders))} have no fold in common")
    return sorted(found)


def size_px(folder: StageFolder) -> int:
    """The side of the images that a stage was fitted on."""
    return runs.read_study(folder).plan(folder.stage).size_px


def records_fingerprint(folder: StageFolder) -> str:
    """The fingerprint of the records that a stage was fitted on."""
    return str(runs.read_environment(folder)["records"])


def _heads(folder: StageFolder) -> list[HeadName]:
    return runs.read_study(folder).network.heads
