import numpy as np
import pytest

from tests.training import learning
from tfptx.objectives.losses import weighted_bce


def test_terms_and_loss_are_means_over_images_not_batches():
    model = learning.network()
    found, _ = learning.learner(model)
    images, masks = learning.data()
    images, masks = images[:5], masks[:5]
    masks[4] = 1 - masks[4]
    scores = found.evaluate(images, masks, batch_size=4, verbose=0, return_dict=True)
    expected = float(np.mean(weighted_bce(masks, model.predict(images, verbose=0))))
    assert scores["loss"] == pytest.approx(expected, rel=1e-5)
    assert scores["weighted_bce"] == pytest.approx(expected, rel=1e-5)
