"""This holds the putting together of what a stage fits: groups, optimizer, curriculum, learner."""

from dataclasses import dataclass

import keras

from tfptx import runs
from tfptx.config import LossName, Stage, Study
from tfptx.inference import load
from tfptx.network import unet
from tfptx.objectives.curriculum import Curriculum
from tfptx.runs import StageFolder
from tfptx.training import groups
from tfptx.training.groups import Layers
from tfptx.training.learner import Learner
from tfptx.training.optimizer import GroupedAdam


@dataclass(frozen=True)
class Assembly:
    """A network, and the learner that shares its layers, compiled with a built optimizer."""

    network: keras.Model
    groups: dict[str, Layers]
    curriculum: Curriculum
    learner: Learner


def assemble(study: Study, plan: Stage, predecessor: StageFolder | None) -> Assembly:
    """Build a stage's network, from the stage before where there is one, and its learner.

    Raises ValueError where the predecessor has another encoder, weights can't be had, or the
    config's groups don't hold each layer once.
    """
    network = _network(study, plan, predecessor)
    selected = groups.select(network, plan.unfreezing.from_epoch)
    optimizer = GroupedAdam(
        selected,
        plan.weight_decay,
        plan.unfreezing.rate_multiplier,
        global_clipnorm=plan.clip_norm,
        gradient_accumulation_steps=(
            plan.accumulated_batches if plan.accumulated_batches > 1 else None
        ),
    )
    terms = dict.fromkeys(term for phase in plan.curriculum for term in phase.weights)
    curriculum = Curriculum(terms, plan.class_weights.positive, plan.class_weights.negative)
    learner = Learner(network, curriculum)
    learner.compile(optimizer, jit_compile=False)
    return Assembly(network, selected, curriculum, learner)


def phases(plan: Stage) -> list[tuple[float, float, dict[LossName, float]]]:
    """The curriculum of a stage as `tfptx.schedules.term_weights` takes it."""
    return [(phase.from_epoch, phase.ramp_epochs, phase.weights) for phase in plan.curriculum]


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
