from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from tfptx import config
from tfptx.objectives import curriculum, losses
from tfptx.objectives.curriculum import TERMS, Curriculum


@pytest.fixture
def batch():
    random = np.random.default_rng(2)
    truth = (random.random((3, 8, 8, 1)) < 0.3).astype("float32")
    return truth, random.normal(0, 2, truth.shape).astype("float32")


def test_the_config_names_these_terms():
    assert get_args(config.LossName) == tuple(TERMS)


def test_the_loss_is_the_weighted_sum_and_follows_its_variables_in_a_compiled_step(batch):
    blend = Curriculum(["weighted_bce", "soft_dice"], positive=0.9, negative=0.2)
    compiled = tf.function(lambda truth, logits: blend.total(blend.means(truth, logits)))
    bce = float(np.mean(losses.weighted_bce(*batch, 0.9, 0.2)))
    dice = float(np.mean(losses.soft_dice(*batch)))
    for bce_weight, dice_weight in [(1.0, 0.0), (0.25, 2.0), (0.0, 1.0)]:
        blend.weights["weighted_bce"].assign(bce_weight)
        blend.weights["soft_dice"].assign(dice_weight)
        expected = bce_weight * bce + dice_weight * dice
        assert float(compiled(*batch)) == pytest.approx(expected, rel=1e-6)


def test_a_term_that_is_off_is_not_computed(batch, monkeypatch):
    def refusing(truth, logits):
        with tf.control_dependencies([tf.debugging.Assert(False, ["computed"])]):
            return tf.zeros(3)

    monkeypatch.setitem(curriculum.TERMS, "focal", refusing)
    blend = Curriculum(["soft_dice", "focal"], positive=1.0, negative=1.0)
    blend.weights["soft_dice"].assign(1.0)
    compiled = tf.function(blend.means)
    assert float(compiled(*batch)["focal"]) == 0
    blend.weights["focal"].assign(1.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="computed"):
        compiled(*batch)
