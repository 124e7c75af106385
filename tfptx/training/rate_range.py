"""This holds the learning-rate range test: the loss while the rate climbs from step to step.

Smith 2017 (arXiv:1506.01186, section 3.3) takes a cycle's bounds from such a run; here the rate
climbs by a constant factor, so that it passes every order of magnitude in as many steps.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from tfptx import schedules
from tfptx.config import Study
from tfptx.pipeline import batches
from tfptx.pipeline.material import Material
from tfptx.training import assembly, start
from tfptx.training.calendar import Calendar
from tfptx.training.callbacks.clock import Clock
from tfptx.training.callbacks.synchronised import Synchronised
from tfptx.training.callbacks.unfreezing import StagedUnfreezing

SMALLEST, LARGEST = 1e-7, 1.0
SMOOTHING = 0.9  # of the running mean of losses: about the last ten steps
DIVERGED = 4.0  # times the smallest smoothed loss


class ClimbingRate(keras.callbacks.Callback):  # type: ignore[misc]
    """Multiplies the rate from step to step and notes each batch's loss, until that explodes."""

    def __init__(self, num_steps: int, advance: Callable[[float], None]) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self._rates = np.geomspace(SMALLEST, LARGEST, num_steps)
        self._advance = advance
        self._mean = 0.0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the rate of this step, and the metrics back so that the loss is this batch's own."""
        self.model.reset_metrics()
        self.model.optimizer.learning_rate.assign(self._rates[batch])

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the loss, and stop the fit once it is far above the smallest."""
        loss = float((logs or {})["loss"])
        self._advance(1 / len(self._rates))
        self._mean = SMOOTHING * self._mean + (1 - SMOOTHING) * loss
        # The mean starts at 0; this is Adam's correction of that.
        smoothed = self._mean / (1 - SMOOTHING ** (batch + 1))
        smallest = min((row["smoothed_loss"] for row in self.rows), default=smoothed)
        if not math.isfinite(loss) or smoothed > DIVERGED * smallest:
            self.model.stop_training = True
            return
        self.rows.append(
            {"learning_rate": self._rates[batch], "loss": loss, "smoothed_loss": smoothed}
        )


def measure(
    study: Study,
    material: Material,
    run: Path,
    stage: str,
    num_steps: int,
    advance: Callable[[float], None],
    pretrained: Path | None = None,
) -> pd.DataFrame:
    """Give learning_rate, loss and smoothed_loss of up to `num_steps` steps, one row each.

    The network, the layers that train, the losses and the batches are those with which the stage's
    fit begins; nothing of it is kept. Raises ValueError as `fit` does.
    """
    plan = study.plan(stage)
    predecessor = start.of(run, material, stage, pretrained)
    data = batches.training(material, study, stage, epoch=0)
    keras.utils.set_random_seed(study.seed)
    parts = assembly.assemble(study, plan, predecessor)
    for name, weight in schedules.term_weights(0, assembly.phases(plan)).items():
        parts.curriculum.weights[name].assign(weight)
    clock = Clock(Calendar((num_steps,)))
    climbing = ClimbingRate(num_steps, advance)
    parts.learner.fit(
        data.repeat(),
        steps_per_epoch=num_steps,
        shuffle=False,
        verbose=0,
        callbacks=[
            clock,
            Synchronised(),
            StagedUnfreezing(parts.groups, plan.unfreezing.from_epoch, 1, clock),
            climbing,
        ],
    )
    return pd.DataFrame(climbing.rows)


def steepest(table: pd.DataFrame) -> float:
    """The rate at which the smoothed loss falls fastest, per order of magnitude of the rate.

    It lies before the smallest loss: a cycle's largest rate is to train fast, and not to explode.
    Raises ValueError where the loss never falls.
    """
    losses = table["smoothed_loss"].to_numpy()
    end = int(losses.argmin()) + 1
    if end < 3:
        raise ValueError(
            f"the loss did not fall at any rate from {SMALLEST} to {LARGEST}; look at the records "
            "and the config's curriculum, or take more --steps"
        )
    slopes = np.gradient(losses[:end], np.log10(table["learning_rate"].to_numpy()[:end]))
    return float(table["learning_rate"].iloc[int(slopes.argmin())])
