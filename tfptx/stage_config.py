"""This holds the config of one stage of the fit: its rates, phases and what it keeps."""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

LossName = Literal[
    "weighted_bce",
    "soft_dice",
    "focal",
    "lovasz_hinge",
    "lovasz_hinge_elu",
    "lovasz_hinge_batch",
    "lovasz_hinge_elu_batch",
    "presence_bce",
    "distance_l1",
]
RateName = Literal["constant", "triangular", "triangular2", "exp_range", "cosine", "one_cycle"]
HeadName = Literal["presence", "distance"]
Average = Literal["none", "best", "cycle_ends"]
Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]

OF_HEADS: dict[str, HeadName] = {"presence_bce": "presence", "distance_l1": "distance"}
STRIDE_PX = 32  # the deepest features of every encoder stand this many pixels apart

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Epoch = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """A table of the config: unknown keys and loose types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Line(Part):
    """A value that slides from `start` at the first epoch to `end` at the last."""

    start: Annotated[float, Field(gt=0, le=1)]
    end: Annotated[float, Field(gt=0, le=1)]


class Rate(Part):
    """The learning rate; half a cycle is the way from `smallest` to `largest`.

    `gamma`, what `exp_range` leaves of its reach after each epoch, is of that schedule alone.
    """

    schedule: RateName
    smallest: Annotated[float, Field(ge=0)]
    largest: Positive
    half_cycle_epochs: Positive
    warm_up_steps: Annotated[int, Field(ge=0)]
    gamma: Annotated[float, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError(f"smallest {self.smallest} is above largest {self.largest}")
        if (self.gamma is not None) != (self.schedule == "exp_range"):
            raise ValueError("exp_range, and no other schedule, has a gamma")
        return self


class Unfreezing(Part):
    """By group of layers the epoch from which it trains and what multiplies its learning rate.

    A group is one of `tfptx.network.unet.groups`, or a regular expression that whole layer names
    match; its multiplier is 1 unless it is named. A group that joins late is warmed up over
    `warm_up_steps`.
    """

    from_epoch: Annotated[dict[str, Epoch], Field(min_length=1)]
    rate_multiplier: dict[str, Positive]
    warm_up_steps: Count

    @model_validator(mode="after")
    def _complete(self) -> Self:
        unknown = sorted(set(self.rate_multiplier) - set(self.from_epoch))
        if unknown:
            raise ValueError(f"rate_multiplier names {', '.join(unknown)}, from_epoch does not")
        if 0 not in self.from_epoch.values():
            raise ValueError("no group of from_epoch trains in epoch 0")
        for name in self.from_epoch:
            try:
                re.compile(name)
            except re.error as error:
                raise ValueError(f"{name!r} is no regular expression: {error}") from error
        return self


class Checkpoints(Part):
    """The weights that are kept beside the best, and which of them are averaged at the end.

    `best` counts the epochs of the largest validation mean Dice. The average of their weights gets
    new batch-norm statistics, and is the fit's result where it scores more than the best epoch.
    """

    best: Count
    cycle_ends: bool
    average: Average

    @model_validator(mode="after")
    def _kept(self) -> Self:
        if self.average == "cycle_ends" and not self.cycle_ends:
            raise ValueError("average takes cycle_ends that are not kept; set cycle_ends = true")
        return self


class Phase(Part):
    """From an epoch on, the weight of each loss term, reached over a linear ramp."""

    from_epoch: Epoch
    ramp_epochs: Annotated[float, Field(ge=0)]
    weights: dict[LossName, Annotated[float, Field(ge=0)]]


class ClassWeights(Part):
    """What a pixel inside and outside a pneumothorax counts in the weighted BCE."""

    positive: Positive
    negative: Positive


class Stage(Part):
    """One stage of the progressive fit.

    `precision` is that of the layers in training; weights, logits and losses are float32 in each.
    `rematerialised` computes activations again for the gradient in place of keeping them. With
    `xla`, which is one for all stages, the step is compiled, and another fit is the same but
    for the last bits. Each step of the optimizer takes the mean gradient of `accumulated_batches`
    batches; warm-ups count these steps. The state to go on from is kept after every epoch, and
    every `checkpoint_every_steps` batches unless 0.
    """

    size_px: Annotated[int, Field(ge=STRIDE_PX, multiple_of=STRIDE_PX)]
    precision: Precision
    xla: bool
    rematerialised: bool
    batch_size: Count
    accumulated_batches: Count
    epochs: Count
    early_stopping_epochs: Count
    checkpoint_every_steps: Annotated[int, Field(ge=0)]
    weight_decay: Annotated[float, Field(ge=0)]
    clip_norm: Positive
    positive_share: Line
    class_weights: ClassWeights
    rate: Rate
    unfreezing: Unfreezing
    checkpoints: Checkpoints
    curriculum: Annotated[list[Phase], Field(min_length=1)]

    @model_validator(mode="after")
    def _curriculum_in_order(self) -> Self:
        starts = [phase.from_epoch for phase in self.curriculum]
        if starts[0] != 0 or sorted(set(starts)) != starts:
            raise ValueError(f"phases of the curriculum start at 0 and then later, got {starts}")
        for phase in self.curriculum:
            if not any(weight for name, weight in phase.weights.items() if name not in OF_HEADS):
                raise ValueError(
                    f"the phase of the curriculum from epoch {phase.from_epoch} gives no loss of "
                    "the mask a weight above 0"
                )
        return self

    @model_validator(mode="after")
    def _cycles_that_end(self) -> Self:
        if self.rate.schedule == "constant" and self.checkpoints.cycle_ends:
            raise ValueError("a constant rate has no cycles whose ends could be kept")
        return self

    @model_validator(mode="after")
    def _cycle_in_the_fit(self) -> Self:
        if self.rate.schedule == "one_cycle" and 2 * self.rate.half_cycle_epochs > self.epochs:
            raise ValueError(
                f"the cycle of one_cycle is over after {2 * self.rate.half_cycle_epochs} epochs, "
                f"the fit after {self.epochs}"
            )
        return self
