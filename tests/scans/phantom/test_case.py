import cv2
import numpy as np
import pytest

from tfptx.scans.phantom import case, lungs
from tfptx.scans.phantom.anatomy import draw_anatomy
from tfptx.scans.phantom.canvas import Canvas
from tfptx.scans.phantom.projection import SIDES

SIZE_PX = 256


def draw(seed, positive, size_px=SIZE_PX):
    random = np.random.default_rng(seed)
    return case.draw(draw_anatomy(random), SIDES[seed % 2], positive, size_px, random)


def lung_fields(phantom, sides=SIDES):
    canvas = Canvas(SIZE_PX, phantom.posture.placement())
    return canvas.filled([lungs.outline(phantom.anatomy, phantom.posture, side) for side in sides])


@pytest.fixture(scope="module")
def positives():
    return [draw(seed, True) for seed in range(16)]


def test_truth_lies_inside_the_lung_of_its_side(positives):
    for seed, phantom in enumerate(positives):
        field = lung_fields(phantom, (SIDES[seed % 2],))
        # The field is drawn anew on a coarser grid, so border pixels are shared out differently.
        assert (field[phantom.truth] > 0).all()
        assert (cv2.dilate(field, np.ones((3, 3)))[phantom.truth] > 127).all()


def test_the_rim_is_darker_than_the_lung_beside_it(positives):
    differences = []
    for phantom in positives:
        around = cv2.dilate(phantom.truth.astype(np.uint8), np.ones((13, 13))) > 0
        beside = around & ~phantom.truth & (lung_fields(phantom) == 255)
        differences.append(phantom.image[beside].mean() - phantom.image[phantom.truth].mean())
    assert np.mean(differences) > 5
    assert np.mean(np.array(differences) > 0) >= 0.8


def test_a_negative_has_no_truth_and_any_size_can_be_drawn():
    for size_px in (17, 64, 600):
        phantom = draw(1, False, size_px)
        assert phantom.image.shape == phantom.truth.shape == (size_px, size_px)
        assert phantom.image.dtype == np.uint8
        assert phantom.image.std() > 20
        assert not phantom.truth.any()


def test_a_positive_shows_truth_however_small_the_image():
    for seed in range(6):
        assert draw(seed, True, 16).truth.any()


def test_one_seed_gives_one_scene_at_every_size():
    large, small = draw(3, True, 1024), draw(3, True, 512)
    shrunk = cv2.resize(large.image, (512, 512), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(shrunk.ravel(), small.image.ravel())[0, 1] > 0.98
    assert large.truth.mean() == pytest.approx(small.truth.mean(), rel=0.03)
