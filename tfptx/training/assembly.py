"""This holds the putting together of what a stage fits: groups, optimizer, curriculum, learner."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import keras

from tfptx import runs
from tfptx.config import Study
from tfptx.inference import load
from tfptx.network import rematerialisation, unet
from tfptx.objectives.curriculum import Curriculum
from tfptx.runs import StageFolder
from tfptx.stage_config import LossName, Stage
from tfptx.training import groups
from tfptx.training.groups import Layers
from tfptx.training.learner import Learner
from tfptx.training.optimizer import GroupedAdam


@dataclass(frozen=True)
class Assembly:
    """A network, and the learner that shares its layers, compiled with a built optimizer.

    `wide` is a network of float32 layers to score with, where the learner's are of half floats.
    """

    network: keras.Model
    groups: dict[str, Layers]
    curriculum: Curriculum
    learner: Learner
    wide: keras.Model | None

    def scored(self) -> keras.Model:
        """The network with the weights as they are now, as prediction and serving will have it."""
        if self.wide is None:
            return self.network
        self.wide.set_weights(self.network.get_weights())
        return self.wide


def assemble(study: Study, plan: Stage, predecessor: StageFolder | None) -> Assembly:
    """Build a stage's network, from a fitted one where there is one, and its learner.

    Raises ValueError where the predecessor has another encoder, weights can't be had, or the
    config's groups don't hold each layer once, or where XLA is asked for and can't be had.
    """
    with _precision(plan.precision):
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
    weights = plan.class_weights
    curriculum = Curriculum(terms, weights.positive, weights.negative, is_static=plan.xla)
    with _precision(plan.precision):
        trained = rematerialisation.rematerialised(network) if plan.rematerialised else network
        learner = Learner(trained, curriculum)
        # JAX knows no step that is not compiled, but one operation by one.
        learner.compile(optimizer, jit_compile=plan.xla or keras.config.backend() == "jax")
    if plan.xla and not learner.jit_compile:
        raise ValueError(
            "this process has switched to deterministic operations, which Keras does not compile "
            "with XLA; fit the stages with xla = true in a process of their own"
        )
    # Where losses are scaled, Keras has put an optimizer around it that has a state of its own.
    learner.optimizer.build(learner.trainable_variables)
    wide = None if plan.precision == "float32" else load.built(study.network, plan.size_px)
    return Assembly(network, selected, curriculum, learner, wide)


@contextlib.contextmanager
def _precision(name: str) -> Iterator[None]:
    """Give layers that are made in the block this policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def phases(plan: Stage) -> list[tuple[float, float, dict[LossName, float]]]:
    """The curriculum of a stage as `tfptx.schedules.term_weights` takes it."""
    return [(phase.from_epoch, phase.ramp_epochs, phase.weights) for phase in plan.curriculum]


def _network(study: Study, plan: Stage, predecessor: StageFolder | None) -> keras.Model:
    settings = study.network
    if predecessor is None:
        return unet.build(
            settings.encoder,
            plan.size_px,
            settings.encoder_weights,
            settings.decoder,
            settings.heads,
        )
    before = runs.read_study(predecessor).network
    for name in ("encoder", "decoder", "heads"):
        found, wanted = getattr(before, name), getattr(settings, name)
        if found != wanted:
            raise ValueError(
                f"{predecessor.path}, where the fit starts, has the {name} {found}, the config "
                f"{wanted}; take one {name} for both"
            )
    return load.network(predecessor, plan.size_px)
