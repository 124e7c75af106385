"""This holds the backbone comparison: one study fitted with several encoders, on one fold."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import pandas as pd

from tfptx import runs
from tfptx.config import EncoderName, StageName, Study
from tfptx.inference import load
from tfptx.operating_point.grid import Kind
from tfptx.operating_point.tables import Sweep
from tfptx.runs import StageFolder
from tfptx.studies import backbones_table, steps
from tfptx.training.fit import fit

# The three of the paper.
ENCODERS: tuple[EncoderName, ...] = ("resnet34", "efficientnetb4", "seresnext50")
WEIGHTS_OF_ANY_ENCODER = ("imagenet", "random")


def compare(
    study: Study,
    records: Path,
    out: Path,
    encoders: Sequence[EncoderName],
    fold: int,
    stages: Sequence[StageName],
    show: steps.Show,
    announce: Callable[[dict[str, Any]], None],
) -> pd.DataFrame:
    """Fit a study with each encoder, sweep its maps of the fold held out, and write one table.

    OUT/runs/<encoder>, OUT/maps/<encoder> and OUT/sweeps/<encoder> are of the last of `stages`;
    OUT/backbones.csv is written once all encoders are through. What stands already is used, so a
    comparison that was cut off goes on. `show` opens the progress of a named step, `announce` is
    given each epoch of the fits.
    Raises ValueError, before any fit, where the study lacks a stage or its weights are those of one
    encoder alone.
    """
    variants = {encoder: with_encoder(study, encoder) for encoder in encoders}
    for stage in stages:
        study.plan(stage)
    rows = []
    for encoder, variant in variants.items():
        run = out / backbones_table.RUNS / encoder
        for stage in stages:
            with show(f"fit {encoder}, stage {stage}") as advance:
                folder = fit(variant, records, run, fold, stage, advance, announce)
        with show(f"predict maps of {encoder}") as advance:
            maps = out / backbones_table.MAPS / encoder
            steps.maps_of(folder, run, records, fold, maps, advance)
        with show(f"sweep {encoder}") as advance:
            sweeps = out / backbones_table.SWEEPS / encoder
            found = steps.sweeps_of([maps], variant.operating_point, sweeps, advance)
        rows.append(_row(folder, variant, found))
        # Else the graphs of all networks so far would stay in memory.
        keras.utils.clear_session()
    return backbones_table.write(out, rows)


def with_encoder(study: Study, encoder: EncoderName) -> Study:
    """The study with another encoder and the name of that. Raises ValueError as `compare`."""
    network = study.network
    if encoder == network.encoder:
        return study
    if network.encoder_weights not in WEIGHTS_OF_ANY_ENCODER:
        raise ValueError(
            f"network.encoder_weights is {network.encoder_weights}, a file of {network.encoder} "
            f"alone; to compare it with {encoder} set it to {' or '.join(WEIGHTS_OF_ANY_ENCODER)}"
        )
    changed = network.model_copy(update={"encoder": encoder})
    return study.model_copy(update={"name": f"{study.name}-{encoder}", "network": changed})


def _row(folder: StageFolder, study: Study, found: dict[Kind, Sweep]) -> dict[str, Any]:
    threshold, joint = found["threshold"], found["joint"]
    history = runs.read_history(folder)
    return {
        "encoder": study.network.encoder,
        "parameters": load.network(folder).count_params(),
        "stage": folder.stage,
        "size_px": study.plan(folder.stage).size_px,
        "best_threshold": threshold.point.threshold,
        "threshold_mean_dice": threshold.figures["mean_dice"],
        "pair_threshold": joint.point.threshold,
        "pair_min_pixels": joint.point.min_pixels,
        "pair_size_px": joint.point.size_px,
        **joint.figures,
        "all_empty_dice": joint.all_empty["mean_dice"],
        "num_images": joint.point.num_images,
        "epochs": len(history),
        # The first epoch traces the graph; the median does not mind.
        "seconds_per_epoch": float(history["seconds"].median()),
    }
