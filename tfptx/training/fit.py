"""This holds the fit of one stage on one fold, from records to the best weights."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tfptx import runs, schedules
from tfptx.config import LossName, Stage, Study
from tfptx.inference import load
from tfptx.network import unet
from tfptx.objectives.curriculum import Curriculum
from tfptx.objectives.metrics import BestCellDice
from tfptx.operating_point import grid
from tfptx.pipeline import batches
from tfptx.runs import StageFolder
from tfptx.training import claim, selection
from tfptx.training.calendar import Calendar
from tfptx.training.callbacks import state
from tfptx.training.callbacks.best_weights import BestWeights
from tfptx.training.callbacks.cyclic_rate import CyclicRate
from tfptx.training.callbacks.dropout_noise import DropoutNoise
from tfptx.training.callbacks.history import History
from tfptx.training.callbacks.loss_curriculum import LossCurriculum
from tfptx.training.callbacks.progress import Progress
from tfptx.training.callbacks.tensorboard import TensorBoard
from tfptx.training.callbacks.unfreezing import StagedUnfreezing
from tfptx.training.learner import Learner
from tfptx.training.optimizer import GroupedAdam


def fit(
    study: Study,
    records: Path,
    run: Path,
    fold: int,
    stage: str,
    advance: Callable[[float], None],
    announce: Callable[[dict[str, Any]], None],
    overwrite: bool = False,
) -> StageFolder:
    """Fit one stage with `fold` held out; go on where an earlier call was cut off.

    A later stage starts from the best weights of the one before it. `advance` is called with the
    share of the fit that each step is, `announce` with the history's row of each epoch. A stage
    that has finished is left as it is, unless `overwrite` asks for a new fit; what stands is then
    removed once all that the new one needs is known to be there.
    Raises ValueError where the stage before has not finished or was fitted on other records, where
    the folder holds a fit of another config or other records, or where the loss is not finite.
    """
    plan = study.plan(stage)
    folder = runs.stage_folder(run, fold, stage)
    predecessor = None if stage == "1" else runs.finished(run, fold, "1")
    validation = batches.validation(records, fold, plan.size_px, plan.batch_size)
    calendar = Calendar(
        tuple(batches.num_steps(records, fold, study, stage, e) for e in range(plan.epochs))
    )
    made_from = claim.made_from(study, records, predecessor)
    if not overwrite:
        claim.check(folder, study, made_from)
        if folder.is_finished:
            advance(1.0)
            return folder

    keras.utils.set_random_seed(study.seed)
    tf.config.experimental.enable_op_determinism()
    network = _network(study, plan, predecessor)
    groups = unet.groups(network)
    optimizer = GroupedAdam(groups, plan.weight_decay, global_clipnorm=plan.clip_norm)
    terms = dict.fromkeys(term for phase in plan.curriculum for term in phase.weights)
    curriculum = Curriculum(terms, plan.class_weights.positive, plan.class_weights.negative)
    learner = Learner(network, curriculum)
    learner.compile(optimizer, metrics=[_metric(study)], jit_compile=False)

    if overwrite and folder.path.exists():
        shutil.rmtree(folder.path)
    claim.write(folder, study, made_from)
    finished_epochs = state.restore(folder.state, learner)
    rows = _finished_rows(folder, finished_epochs)
    unfreezing = StagedUnfreezing(
        groups, plan.unfreezing.from_epoch, plan.unfreezing.warm_up_steps, calendar
    )

    def describe(epoch: int) -> dict[str, Any]:
        """What the history says of an epoch beside the losses and scores."""
        share = plan.positive_share
        return {
            "learning_rate": float(optimizer.learning_rate),
            "positive_share": schedules.line(epoch, plan.epochs, share.start, share.end),
            "trainable_groups": "+".join(unfreezing.trainable_groups),
            **{f"{name}_weight": float(value) for name, value in curriculum.weights.items()},
        }

    history = History(folder.history_csv, rows, describe)
    callbacks = [
        unfreezing,
        CyclicRate(_rate(plan), calendar),
        LossCurriculum(curriculum, _term_weights(plan), calendar),
        DropoutNoise(network, study.seed),
        history,
        BestWeights(network, folder.best_weights, history),
        TensorBoard(folder.logs, history),
        state.State(folder.state),
        Progress(calendar, history, advance, announce),
    ]
    advance(calendar.first_step(finished_epochs) / calendar.first_step(plan.epochs))
    for epoch in range(finished_epochs, plan.epochs):
        if selection.is_over(rows, plan.early_stopping_epochs, plan.curriculum[-1].from_epoch):
            break
        # One call an epoch: within a call, Keras cuts every epoch to the length of the first.
        learner.fit(
            batches.training(records, fold, study, stage, epoch),
            validation_data=validation,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
    best = selection.best(rows)
    names = ("mean_dice", "positive_dice", "threshold", "min_pixels")
    scores = {name: best[f"val_{name}"] for name in names}
    runs.write_result(folder, {"epoch": best["epoch"], "epochs": len(rows), **scores})
    shutil.rmtree(folder.state)
    return folder


def _network(study: Study, plan: Stage, predecessor: StageFolder | None) -> keras.Model:
    if predecessor is None:
        return unet.build(study.network.encoder, plan.size_px, study.network.encoder_weights)
    encoder = runs.read_study(predecessor).network.encoder
    if encoder != study.network.encoder:
        raise ValueError(
            f"{predecessor.path} has the encoder {encoder}, the config {study.network.encoder}; "
            "fit both stages with one encoder"
        )
    return load.network(predecessor, plan.size_px)


def _metric(study: Study) -> BestCellDice:
    cells = study.operating_point
    thresholds = grid.values(cells.thresholds)
    return BestCellDice(thresholds, grid.pixels(cells.min_pixels), cells.size_px)


def _rate(plan: Stage) -> Callable[[float], float]:
    rate = plan.rate
    schedule = schedules.RATES[rate.schedule]
    return lambda epoch: schedule(epoch, rate.smallest, rate.largest, rate.half_cycle_epochs)


def _term_weights(plan: Stage) -> Callable[[float], dict[LossName, float]]:
    phases = [(phase.from_epoch, phase.ramp_epochs, phase.weights) for phase in plan.curriculum]
    return partial(schedules.term_weights, phases=phases)


def _finished_rows(folder: StageFolder, finished_epochs: int) -> list[dict[str, Any]]:
    """The history up to the state: a row past it belongs to an epoch that is fitted again."""
    if not finished_epochs:
        return []
    rows = runs.read_history(folder).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows[:finished_epochs]]
