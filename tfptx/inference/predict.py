"""This holds the way from records and runs to probability maps on disk."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfptx import provenance, runs
from tfptx.inference import ensemble, load
from tfptx.inference.networks import Manner, Networks
from tfptx.operating_point import map_writer, maps, preview
from tfptx.operating_point.maps import Maps
from tfptx.pipeline import batches
from tfptx.records import manifest as manifests
from tfptx.records.manifest import Manifest
from tfptx.records.schema import UNKNOWN_AGE, UNKNOWN_SPACING_MM
from tfptx.runs import StageFolder
from tfptx.scans import rle
from tfptx.scans.folds import TEST


@dataclass(frozen=True)
class Share:
    """Folds whose examples the same networks predict."""

    folds: tuple[int, ...]
    networks: tuple[StageFolder, ...]


def predict_maps(
    run_folders: Sequence[Path],
    records: Path,
    fold: int | None,
    out: Path,
    manner: Manner,
    advance: Callable[[float], None],
    stage: str | None = None,
    batch_size: int = 4,
    unseen: bool = False,
    counts_only: bool = False,
    network_folds: Sequence[int] | None = None,
) -> Maps:
    """Write the probability maps of a fold, of the test share (TEST) or of all folds (None).

    A fold's maps are the mean over the runs of the networks that held it out; the test share's are
    the mean over those of `network_folds`, None for all. Probabilities are averaged at the
    networks' size, then resized to the annotation's or, without one, to the source's. `stage` None
    is the latest finished. `unseen` says that no network was fitted on any of the images, so that
    these networks predict all folds. `counts_only` keeps what a sweep of pairs or triplets needs,
    and no maps. The folder appears whole or not at all; `advance` is called with each finished
    share.

    Raises ValueError where a stage has not finished, stage or size differ between runs, records
    lack the fold, they are others than the runs were fitted on and not said to be unseen, or a head
    is asked for that the networks lack.
    """
    manifest = manifests.read(records)
    if fold is not None:
        manifests.check_fold(records, manifest, fold)
    fitted = load.common_folds(run_folders) if network_folds is None else list(network_folds)
    shares = _shares(run_folders, fitted, manifest, fold, stage, unseen)
    folders = [folder for share in shares for folder in share.networks]
    if not unseen:
        _refuse_other_records(folders, manifest.fingerprint, records)
    examples = _examples(records, shares)
    size_px = load.size_px(folders[0])
    source = {
        "runs": sorted(runs.fingerprint(folder) for folder in folders),
        "stage": folders[0].stage,
        "size_px": size_px,
        "flip": manner.flip,
        "fused": manner.is_fused,
        "overlap": manner.overlap,
        "records": manifest.fingerprint,
        "environment": provenance.environment(),
    }
    sizes = list(zip(examples["mask_rows"], examples["mask_columns"], strict=True))
    with map_writer.writing(out, sizes, source, counts_only) as writer:
        for share in shares:
            networks = Networks(share.networks, size_px, manner, batch_size)
            for example in _predicted(share, records, networks):
                size = example["mask_rows"], example["mask_columns"]
                levels = ensemble.levels(example["probability"], *size)
                writer.append(_row(example), levels, preview.jpeg(example["pixels"]))
                advance(1 / len(sizes))
    return maps.read(out)


def _shares(
    run_folders: Sequence[Path],
    fitted: Sequence[int],
    manifest: Manifest,
    fold: int | None,
    stage: str | None,
    unseen: bool,
) -> list[Share]:
    if unseen or fold == TEST:
        networks = load.finished(run_folders, fitted, stage)
        standing = sorted({shard.fold for shard in manifest.shards})
        return [Share(tuple(standing) if fold is None else (fold,), tuple(networks))]
    wanted = fitted if fold is None else [fold]
    folders = load.finished(run_folders, wanted, stage)
    return [
        Share((each,), tuple(folder for folder in folders if folder.fold == each))
        for each in wanted
    ]


def _refuse_other_records(folders: Sequence[StageFolder], fingerprint: str, records: Path) -> None:
    for folder in folders:
        if load.records_fingerprint(folder) != fingerprint:
            raise ValueError(
                f"{folder.path} was fitted on other records than {records}, so its network may "
                "have seen what it is to predict; name the run's own records or, where no image "
                "is among those, pass --unseen"
            )


def _examples(records: Path, shares: Sequence[Share]) -> pd.DataFrame:
    """The listed examples in the order of prediction, with the rows and columns of their maps."""
    table = manifests.read_examples(records)
    folds = [fold for share in shares for fold in share.folds]
    return pd.concat([table[table["fold"] == fold] for fold in folds])


def _predicted(share: Share, records: Path, networks: Networks) -> Iterator[dict[str, Any]]:
    """Each example's features and `pixels`, and what the networks say of it.

    That is `probability` of the image, float32 1 x R x C x 1 at the network's scale or, in windows,
    at its own, and `presence` where they have the head.
    """
    for fold in share.folds:
        for batch in batches.prediction(records, fold, networks.size_px, networks.batch_size):
            said = networks.predict(batch.pop("images"))
            features = {name: values.numpy() for name, values in (batch | said).items()}
            for i in range(len(features["image_id"])):
                example = {name: values[i] for name, values in features.items()}
                image = _pixels(example)
                probability = networks.in_windows(image)
                if probability is None:
                    square = example["probability"][np.newaxis]
                    probability = ensemble.of_image(square, *image.shape)
                yield {**example, "fold": fold, "pixels": image, "probability": probability}


def _row(features: dict[str, Any]) -> dict[str, Any]:
    """A line of the maps' index."""
    texts = ("image_id", "patient_id", "view", "sex")
    age, spacing_mm = features["age"], features["spacing_mm"]
    truth = rle.to_text(features["mask_starts"], features["mask_lengths"])
    return {
        **{name: features[name].decode() for name in texts},
        "fold": features["fold"],
        "truth_rle": truth if features["labelled"] else "",
        "age": None if age == UNKNOWN_AGE else int(age),
        "spacing_mm": None if spacing_mm == UNKNOWN_SPACING_MM else float(spacing_mm),
        maps.PRESENCE: features.get("presence"),
    }


def _pixels(features: dict[str, Any]) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(features["image"], np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"{features['image_id'].decode()} does not decode; see verify-records")
    return np.asarray(image, np.uint8)
