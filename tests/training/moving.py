"""A small fit in which everything moves, on any backend and devices; as a program it writes it."""

import sys

import numpy as np

from tests.training import learning
from tfptx.training.callbacks.clock import Clock
from tfptx.training.callbacks.cyclic_rate import CyclicRate
from tfptx.training.callbacks.loss_curriculum import LossCurriculum
from tfptx.training.callbacks.synchronised import Synchronised
from tfptx.training.callbacks.unfreezing import StagedUnfreezing
from tfptx.training.devices import ONE, Devices

EPOCHS = 3
RATES = (0.01, 0.03, 0.0, 0.02)  # of an epoch's steps; none moves anything in the third
CLIP_NORM = 0.05


def moved(devices=ONE, clip_norm=CLIP_NORM):
    """The loss of each epoch, and the weights at its end, by name."""
    with devices.scope():
        model = learning.network()
        # Keras's initialisers draw other numbers on other backends.
        random = np.random.default_rng(3)
        model.set_weights([random.uniform(0.1, 0.5, each.shape) for each in model.weights])
        found, curriculum = learning.learner(
            model,
            ("weighted_bce", "lovasz_hinge"),
            rate_multipliers={"decoder": 0.5},
            global_clipnorm=clip_norm,
            gradient_accumulation_steps=2,
        )
        clock = Clock(learning.CALENDAR)
        callbacks = [
            clock,
            Synchronised(),
            # The one that does not ask for its model, which would do the same.
            LossCurriculum(curriculum, terms, clock),
            StagedUnfreezing(learning.groups(model), {"decoder": 0, "stride32": 1}, 3, clock),
            CyclicRate(lambda time, step: RATES[step % len(RATES)], clock),
        ]
        losses = learning.fit(found, callbacks, EPOCHS)["loss"]
        weights = {weight.path: np.asarray(weight) for weight in model.weights}
    return {"losses": np.array(losses), **weights}


def terms(time):
    return {"weighted_bce": 1 - time / EPOCHS, "lovasz_hinge": float(time >= 1)}


if __name__ == "__main__":
    folder = sys.argv[1]
    two = Devices(("cpu:0", "cpu:1"))
    np.savez(f"{folder}/one.npz", **moved())
    np.savez(f"{folder}/two.npz", **moved(two))
    np.savez(f"{folder}/two_unclipped.npz", **moved(two, clip_norm=1e6))
