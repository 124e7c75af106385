"""A small network in two groups, its learner and its data, for the tests of the callbacks."""

import keras
import numpy as np

from tfptx.objectives.curriculum import Curriculum
from tfptx.training.calendar import Calendar
from tfptx.training.learner import Learner
from tfptx.training.optimizer import GroupedAdam

STEPS = 4
CALENDAR = Calendar((STEPS,) * 6)


def network():
    """A deep group with batch norm and a head, from fixed weights."""
    keras.utils.set_random_seed(7)
    inputs = keras.Input((8, 8, 1))
    deep = keras.layers.Conv2D(4, 3, padding="same", name="deep")(inputs)
    deep = keras.layers.BatchNormalization(name="deep_norm")(deep)
    outputs = keras.layers.Conv2D(1, 3, padding="same", name="head")(keras.ops.relu(deep))
    return keras.Model(inputs, outputs)


def groups(model):
    deep = (model.get_layer("deep"), model.get_layer("deep_norm"))
    return {"stride32": deep, "decoder": (model.get_layer("head"),)}


def learner(model, terms=("weighted_bce",), **settings):
    curriculum = Curriculum(terms, positive=0.75, negative=0.25)
    for name in terms:
        curriculum.weights[name].assign(1.0)
    found = Learner(model, curriculum)
    settings = {"weight_decay": 0.0, "rate_multipliers": {}, **settings}
    found.compile(
        GroupedAdam(groups(model), **settings), jit_compile=keras.config.backend() == "jax"
    )
    return found, curriculum


def data():
    random = np.random.default_rng(1)
    images = random.random((STEPS * 2, 8, 8, 1)).astype("float32")
    return images, (images > 0.7).astype("float32")


def fit(found, callbacks, epochs, initial_epoch=0):
    images, masks = data()
    return found.fit(
        images,
        masks,
        batch_size=2,
        shuffle=False,
        epochs=epochs,
        initial_epoch=initial_epoch,
        callbacks=callbacks,
        verbose=0,
    ).history
