"""This holds a stage's fit in progress: its epochs one by one, and the average at the end."""

import time
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any

import keras
import tensorflow as tf

from tfptx import runs, schedules
from tfptx.config import Study
from tfptx.pipeline import batches
from tfptx.pipeline.material import Material
from tfptx.runs import StageFolder
from tfptx.training import (
    assembly,
    averaging,
    checkpoints,
    groups,
    memory,
    rates,
    selection,
    state,
    validation,
)
from tfptx.training.assembly import Assembly
from tfptx.training.calendar import Calendar
from tfptx.training.callbacks.clock import Clock
from tfptx.training.callbacks.cyclic_rate import CyclicRate
from tfptx.training.callbacks.dropout_noise import DropoutNoise
from tfptx.training.callbacks.guard import Guard
from tfptx.training.callbacks.keep_state import KeepState
from tfptx.training.callbacks.loss_curriculum import LossCurriculum
from tfptx.training.callbacks.progress import Progress
from tfptx.training.callbacks.synchronised import Synchronised
from tfptx.training.callbacks.unfreezing import StagedUnfreezing
from tfptx.training.devices import Devices
from tfptx.training.interruption import Interruption
from tfptx.training.learner import augmented
from tfptx.training.selection import Row
from tfptx.training.state import State
from tfptx.training.tensorboard import TensorBoard


class Session:
    """What a fit knows while it runs: its parts, the rows of its history, where it goes on."""

    def __init__(
        self,
        study: Study,
        material: Material,
        folder: StageFolder,
        parts: Assembly,
        calendar: Calendar,
        devices: Devices,
    ) -> None:
        self._study = study
        self._plan = study.plan(folder.stage)
        self._material = material
        self._folder = folder
        self._parts = parts
        self._devices = devices
        self._processes = devices.processes
        self._predict = devices.predicting(parts.scored(), self._plan.batch_size)
        self._clock = Clock(calendar)
        self._noise = DropoutNoise(parts.network, study.seed, self._clock)
        self._term_weights = partial(schedules.term_weights, phases=assembly.phases(self._plan))
        self._cells = validation.cells(study.operating_point)
        self._rows: list[Row] = []
        self._begun: State | None = None

    def restore(self) -> None:
        """Load the latest state, and the history up to it.

        An epoch counts as finished once its row stands in the history; a row beyond the state
        belongs to an epoch that is fitted again. Raises ValueError where there is a history alone.
        """
        self._begun = state.latest(self._folder.state)
        if self._begun is None:
            if self._folder.history_csv.is_file():
                raise ValueError(
                    f"{self._folder.path} has a history, and no state that its fit could go on "
                    "from; begin anew with --overwrite"
                )
            return
        self._processes.agree({"state": f"{self._begun.epoch} {self._begun.batch}"})
        state.restore(self._begun, self._parts.learner)
        if self._folder.history_csv.is_file():
            table = runs.read_history(self._folder).to_dict("records")
            rows = [{str(name): value for name, value in row.items()} for row in table]
            is_trained = self._begun.batch == self._clock.calendar.steps[self._begun.epoch]
            self._rows = rows[: self._begun.epoch + is_trained]

    def run(
        self,
        held_out: tf.data.Dataset,
        interrupted: Interruption,
        advance: Callable[[float], None],
        announce: Callable[[Row], None],
    ) -> dict[str, Any]:
        """Go through the epochs that are left; give the best epoch and its scores.

        `held_out` is what `batches.validation` gives.
        """
        plan, rows, calendar = self._plan, self._rows, self._clock.calendar
        callbacks = self._callbacks(interrupted, advance)
        memory.reset()
        first_batch = self._begun.batch if self._begun and self._begun.epoch == len(rows) else 0
        passed = calendar.first_step(len(rows)) + first_batch
        advance(passed / calendar.first_step(plan.epochs))
        for epoch in range(len(rows), plan.epochs):
            if selection.is_over(rows, plan.early_stopping_epochs, plan.curriculum[-1].from_epoch):
                break
            began_seconds = time.monotonic()
            losses = self._train(epoch, first_batch, callbacks)
            trained_seconds = time.monotonic() - began_seconds
            scores = self._validate(epoch, held_out, interrupted)
            costs = {
                "seconds": round(time.monotonic() - began_seconds, 3),
                "seconds_per_step": round(
                    trained_seconds / max(calendar.steps[epoch] - first_batch, 1), 4
                ),
                "peak_memory_mb": round(memory.peak_mb(), 1),
            }
            first_batch = 0
            rows.append({"epoch": epoch, **self._describe(epoch), **losses, **scores, **costs})
            self._processes.by_first(self._write)
            announce(rows[-1])
        return self._result(held_out, interrupted)

    @cached_property
    def _board(self) -> TensorBoard:
        """Made by the process that writes alone, for it begins a file."""
        return TensorBoard(self._folder.logs)

    def _write(self) -> None:
        """Write what an epoch has brought."""
        checkpoints.keep(self._folder, self._parts.network, self._rows, self._plan)
        self._board.add(self._rows[-1])
        runs.write_history(self._folder, self._rows)

    def _callbacks(
        self, interrupted: Interruption, advance: Callable[[float], None]
    ) -> list[keras.callbacks.Callback]:
        plan, parts, clock = self._plan, self._parts, self._clock
        unfreezing = plan.unfreezing
        image_ids = partial(batches.image_ids, self._material, self._study, self._folder.stage)
        return [
            clock,
            Synchronised(),
            StagedUnfreezing(parts.groups, unfreezing.from_epoch, unfreezing.warm_up_steps, clock),
            CyclicRate(partial(rates.at, plan), clock),
            LossCurriculum(parts.curriculum, self._term_weights, clock),
            self._noise,
            Guard(image_ids, f"{self._folder.path} keeps the weights from before", clock),
            KeepState(
                self._folder.state,
                plan.checkpoint_every_steps,
                self._begun,
                interrupted,
                clock,
                self._processes,
            ),
            Progress(clock.calendar, advance),
        ]

    def _train(
        self, epoch: int, first_batch: int, callbacks: list[keras.callbacks.Callback]
    ) -> Row:
        """Train what is left of an epoch; give the losses over all of it."""
        learner, folder = self._parts.learner, self._folder
        self._clock.first_batch = first_batch
        if first_batch < self._clock.calendar.steps[epoch]:
            # One call an epoch: within a call, Keras cuts every epoch to the length of the first.
            learner.fit(
                batches.training(
                    self._material,
                    self._study,
                    folder.stage,
                    epoch,
                    first_batch,
                    (self._processes.index, self._processes.count),
                ),
                initial_epoch=epoch,
                epochs=epoch + 1,
                shuffle=False,
                verbose=0,
                callbacks=callbacks,
            )
        return {name: float(value) for name, value in learner.get_metrics_result().items()}

    def _validate(self, epoch: int, held_out: tf.data.Dataset, interrupted: Interruption) -> Row:
        """Give the losses and scores on the fold held out, their names beginning with `val_`."""
        # The callback has not set them where the fit goes on behind an epoch's last step.
        for name, weight in self._term_weights(self._end(epoch)).items():
            self._parts.curriculum.weights[name].assign(weight)
        self._parts.scored()
        curriculum = self._parts.curriculum
        scores = None
        if self._processes.is_first:
            with self._devices.here(curriculum.weights.values()):
                scores = validation.score(
                    self._predict, curriculum, held_out, self._cells, interrupted.check
                )
        else:
            for images, *_ in held_out:
                interrupted.check()
                self._predict(images)
        return {f"val_{name}": value for name, value in self._processes.told(scores).items()}

    def _describe(self, epoch: int) -> Row:
        """What the history says of an epoch beside the losses and scores, as at its last step."""
        plan, end = self._plan, self._end(epoch)
        weights = self._term_weights(end)
        last_step = self._clock.calendar.first_step(epoch + 1) - 1
        return {
            "learning_rate": rates.at(plan, end, last_step),
            "positive_share": schedules.line(
                epoch, plan.epochs, plan.positive_share.start, plan.positive_share.end
            ),
            "trainable_groups": "+".join(schedules.unfrozen(epoch, plan.unfreezing.from_epoch)),
            **{f"{name}_weight": float(weight) for name, weight in weights.items()},
        }

    def _end(self, epoch: int) -> float:
        """The time of an epoch's last step."""
        calendar = self._clock.calendar
        return calendar.time(epoch, calendar.steps[epoch] - 1)

    def _result(self, held_out: tf.data.Dataset, interrupted: Interruption) -> dict[str, Any]:
        """The best epoch with its scores, or the average of checkpoints where that is better."""
        best = selection.best(self._rows)
        averaged = self._averaged_epochs()
        if averaged:
            network, folder = self._parts.network, self._folder
            averaging.load_mean(network, [checkpoints.path(folder, e) for e in averaged])
            averaging.estimate_statistics(network, self._last_images(interrupted))
            scores = self._validate(len(self._rows) - 1, held_out, interrupted)
            if selection.is_better(scores, best):
                self._processes.by_first(partial(checkpoints.write, network, folder.best_weights))
                best = {"epoch": best["epoch"], **scores}
            else:
                averaged = []
        scores = {name: best[f"val_{name}"] for name in validation.SCORES}
        return {
            "epoch": best["epoch"],
            "epochs": len(self._rows),
            "averaged_epochs": averaged,
            **scores,
        }

    def _last_images(self, interrupted: Interruption) -> Iterator[Any]:
        """The images of the last epoch as they were trained on, batch by batch.

        The same layers are frozen and the same noise is drawn, whether or not the fit goes on from
        a state here.
        """
        epoch, folder, plan = len(self._rows) - 1, self._folder, self._plan
        groups.train(self._parts.groups, schedules.unfrozen(epoch, plan.unfreezing.from_epoch))
        first_step = self._clock.calendar.first_step(epoch)
        data = batches.training(self._material, self._study, folder.stage, epoch)
        for step, batch in enumerate(data, first_step):
            interrupted.check()
            self._noise.seed(step)
            yield augmented(batch)[0]

    def _averaged_epochs(self) -> list[int]:
        match self._plan.checkpoints.average:
            case "best":
                found = checkpoints.best(self._rows, self._plan)
            case "cycle_ends":
                found = checkpoints.cycle_ends(self._rows, self._plan)
            case _:
                found = []
        return found if len(found) > 1 else []
