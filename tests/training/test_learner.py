import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tests.training import learning
from tfptx import config
from tfptx.objectives.losses import weighted_bce
from tfptx.pipeline import augmentation_graph


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


def test_batches_with_draws_are_augmented_before_they_train():
    recipe = config.read(REPOSITORY / "configs" / "resnet34.toml").augmentation
    always = recipe.model_copy(update={"affine": 1.0, "tone": 1.0})
    images, masks = learning.data()
    draws = np.stack(
        [augmentation_graph.draw(always, 0, 0, bytes([number]), 8) for number in range(len(images))]
    )
    moved = [np.asarray(part) for part in augmentation_graph.apply(images, masks, draws)]
    weights = []
    for data in ([images, masks, draws], moved, [images, masks]):
        model = learning.network()
        found, _ = learning.learner(model, learning_rate=1e-2)
        found.train_on_batch(*data)
        weights.append(model.get_weights())
    for drawn, before in zip(*weights[:2], strict=True):
        np.testing.assert_allclose(drawn, before, rtol=1e-5, atol=1e-7)
    assert not np.allclose(weights[0][0], weights[2][0])
