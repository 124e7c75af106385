"""The network on Keras's JAX backend, in a process of its own, against TensorFlow's."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from tfptx.network import unet

ENCODER = "resnet18"
ON_JAX = """
import sys
import keras, numpy
from tfptx.network import rematerialisation, unet
from tfptx.objectives.curriculum import Curriculum
from tfptx.training.learner import Learner
from tfptx.training.optimizer import GroupedAdam

assert keras.config.backend() == "jax"
folder, encoder = sys.argv[1:]
images = numpy.load(f"{folder}/images.npy")
network = unet.build(encoder, 64)
network.load_weights(f"{folder}/{encoder}.weights.h5")
numpy.save(f"{folder}/{encoder}.npy", network.predict(images, verbose=0))

losses = []
start = network.get_weights()
for model in (network, rematerialisation.rematerialised(network)):
    network.set_weights(start)
    curriculum = Curriculum(["weighted_bce", "soft_dice", "lovasz_hinge"], 0.75, 0.25)
    for weight in curriculum.weights.values():
        weight.assign(1.0)
    learner = Learner(model, curriculum)
    learner.compile(GroupedAdam(unet.groups(network), 1e-4, {"stride2": 0.5}, learning_rate=1e-3))
    masks = (images > 200).astype("float32")
    losses.append([float(learner.train_on_batch(images, masks)[0]) for _ in range(3)])
numpy.testing.assert_allclose(losses[0][:2], losses[1][:2], rtol=1e-5)
# The sort within the hinge makes more of roundings with each step.
numpy.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)
assert losses[0][2] < losses[0][0]
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_jax_gives_the_same_logits_and_trains_with_and_without_rematerialisation(tmp_path):
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 1)).astype(np.float32)
    np.save(tmp_path / "images.npy", images)
    network = unet.build(ENCODER, 64)
    network.save_weights(tmp_path / f"{ENCODER}.weights.h5")
    subprocess.run(
        [sys.executable, "-c", ON_JAX, tmp_path, ENCODER],
        env=os.environ | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = network.predict(images, verbose=0)
    found = np.load(tmp_path / f"{ENCODER}.npy")
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
