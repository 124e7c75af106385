"""This holds the backbone comparison: one study fitted with several encoders, in one table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfptx import runs
from tfptx.config import EncoderName, StageName, Study
from tfptx.inference import cost, load
from tfptx.operating_point import estimates, maps
from tfptx.operating_point.grid import Kind
from tfptx.operating_point.intervals import Bootstrap
from tfptx.operating_point.tables import Sweep
from tfptx.pipeline.material import Material
from tfptx.runs import StageFolder
from tfptx.studies import backbones_table, steps
from tfptx.training.fit import fit

# The three of the paper.
ENCODERS: tuple[EncoderName, ...] = ("resnet34", "efficientnetb4", "seresnext50")
WEIGHTS_OF_ANY_ENCODER = ("imagenet", "random")


@dataclass(frozen=True)
class Plan:
    """What is compared, under one budget: each encoder on the same folds, stages and seeds."""

    encoders: tuple[EncoderName, ...]
    folds: tuple[int, ...]
    stages: tuple[StageName, ...]
    num_seeds: int = 1


@dataclass(frozen=True, eq=False)
class _Fitted:
    """An encoder with one seed: its stages of the last kind, its sweeps, whose the images are."""

    study: Study
    folders: list[StageFolder]
    sweeps: dict[Kind, Sweep]
    patient_ids: list[str]


def compare(
    study: Study,
    records: Path,
    out: Path,
    plan: Plan,
    show: steps.Show,
    announce: Callable[[dict[str, Any]], None],
) -> pd.DataFrame:
    """Fit a study with each encoder, sweep its out-of-fold maps, and write one table.

    OUT/runs, OUT/maps and OUT/sweeps hold <encoder>, and <encoder>-seed<S> of further seeds, of the
    last of the plan's stages; OUT/backbones.csv is written once all are through. What stands
    already is used, so a comparison that was cut off goes on. `show` opens the progress of a named
    step, `announce` is given each epoch of the fits.
    Raises ValueError, before any fit, where the study lacks a stage or its weights are those of one
    encoder alone.
    """
    variants = {encoder: with_encoder(study, encoder) for encoder in plan.encoders}
    for stage in plan.stages:
        study.plan(stage)
    fitted = {
        str(encoder): [
            _fit(variant, seed, records, out, plan, show, announce)
            for seed in range(study.seed, study.seed + plan.num_seeds)
        ]
        for encoder, variant in variants.items()
    }
    return backbones_table.write(out, _rows(fitted))


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


def folders_of_maps(out: Path, name: str, folds: Sequence[int]) -> list[Path]:
    """Where the maps of a network's folds lie."""
    return [out / backbones_table.MAPS / name / f"fold{fold}" for fold in folds]


def _fit(
    variant: Study,
    seed: int,
    records: Path,
    out: Path,
    plan: Plan,
    show: steps.Show,
    announce: Callable[[dict[str, Any]], None],
) -> _Fitted:
    name = str(variant.network.encoder)
    if seed != variant.seed:
        variant = variant.model_copy(update={"seed": seed})
        name = f"{name}-seed{seed}"
    run = out / backbones_table.RUNS / name
    places = folders_of_maps(out, name, plan.folds)
    folders = []
    for fold, place in zip(plan.folds, places, strict=True):
        for stage in plan.stages:
            with show(f"fit {name}, fold {fold}, stage {stage}") as advance:
                folder = fit(variant, Material(records, fold), run, stage, advance, announce)
        with show(f"predict maps of {name}, fold {fold}") as advance:
            steps.maps_of(folder, run, records, fold, place, advance)
        folders.append(folder)
        # Else the graphs of all networks so far would stay in memory.
        keras.utils.clear_session()
    with show(f"sweep {name}") as advance:
        # They follow the maps: a folder of the comparison's own holds no other sweep.
        sweeps = steps.sweeps_of(
            places,
            variant.operating_point,
            out / backbones_table.SWEEPS / name,
            advance,
            overwrite=True,
        )
    patient_ids = [each for opened in places for each in maps.read(opened).index["patient_id"]]
    return _Fitted(variant, folders, sweeps, patient_ids)


def _rows(fitted: Mapping[str, Sequence[_Fitted]]) -> list[dict[str, Any]]:
    """A row an encoder; its figures are means over seeds, its intervals over patients."""
    # Of the draws of the sweeps, whatever the seed of the fits, or their intervals would differ.
    drawn = Bootstrap(next(iter(fitted.values()))[0].patient_ids)
    dice = {encoder: _nested_dice(several) for encoder, several in fitted.items()}
    rows = {
        encoder: _row(several) | _nested_scores(drawn, dice[encoder])
        for encoder, several in fitted.items()
    }
    best = backbones_table.best(pd.DataFrame(rows.values()))
    return [row | _behind(drawn, dice[best], dice[encoder]) for encoder, row in rows.items()]


def _nested_dice(several: Sequence[_Fitted]) -> NDArray[np.float64]:
    """The Dice of each image at pairs chosen without it, its mean over seeds.

    Maps of all networks list the images alike. NaN where all are of one patient, whom no pair can
    be chosen without.
    """
    unknown = np.full(len(several[0].patient_ids), np.nan)
    found = [each.sweeps["joint"].nested_dice for each in several]
    return np.asarray(np.mean([unknown if each is None else each for each in found], axis=0))


def _nested_scores(drawn: Bootstrap, dice: NDArray[np.float64]) -> dict[str, float]:
    score = estimates.estimate(drawn.mean(dice))
    return {
        "nested_mean_dice": score.value,
        "nested_low": score.low,
        "nested_high": score.high,
    }


def _behind(
    drawn: Bootstrap, best_dice: NDArray[np.float64], dice: NDArray[np.float64]
) -> dict[str, float]:
    behind = estimates.estimate(drawn.mean(best_dice) - drawn.mean(dice))
    return {
        "behind_best": behind.value,
        "behind_best_low": behind.low,
        "behind_best_high": behind.high,
        "permutation_p": drawn.signs(best_dice - dice),
    }


def _row(several: Sequence[_Fitted]) -> dict[str, Any]:
    first = several[0]
    folder = first.folders[0]
    size_px = first.study.plan(folder.stage).size_px
    threshold, joint = first.sweeps["threshold"], first.sweeps["joint"]
    histories = [runs.read_history(each) for fit in several for each in fit.folders]
    network = load.network(folder)
    scores = pd.DataFrame([fit.sweeps["joint"].figures for fit in several]).mean()
    return {
        "encoder": first.study.network.encoder,
        "parameters": network.count_params(),
        "gflops": cost.flops(network, size_px) / 1e9,
        "stage": folder.stage,
        "size_px": size_px,
        "num_folds": len(first.folders),
        "num_seeds": len(several),
        "best_threshold": threshold.point.threshold,
        "threshold_mean_dice": float(
            np.mean([fit.sweeps["threshold"].figures["mean_dice"] for fit in several])
        ),
        "pair_threshold": joint.point.threshold,
        "pair_min_pixels": joint.point.min_pixels,
        "pair_size_px": joint.point.size_px,
        **{str(name): float(value) for name, value in scores.items()},
        "all_empty_dice": joint.all_empty["mean_dice"],
        "num_images": joint.point.num_images,
        "epochs": sum(map(len, histories)),
        # The first epoch traces the graph; the median does not mind.
        "seconds_per_epoch": float(pd.concat(histories)["seconds"].median()),
        "seconds_per_step": float(pd.concat(histories)["seconds_per_step"].median()),
        "peak_memory_mb": float(pd.concat(histories)["peak_memory_mb"].max()),
    }
