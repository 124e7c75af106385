import numpy as np
import pytest
from scipy import ndimage

from tfptx.objectives import distance
from tfptx.objectives.distance import REACH_PX


def blobs(seed):
    """A few discs of any size, N x H x W x 1; the last image has none."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:96, :80]
    masks = np.zeros((3, 96, 80, 1), np.float32)
    for mask in masks[:2]:
        for row, column, radius in random.uniform((0, 0, 3), (96, 80, 30), (3, 3)):
            mask[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = 1
    return masks


def euclidean(mask):
    """The signed distance to the outline in pixels, by SciPy; the first pixel is half a one off."""
    inside = ndimage.distance_transform_edt(mask)
    outside = ndimage.distance_transform_edt(1 - mask)
    return np.where(mask > 0, inside - 0.5, 0.5 - outside)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_euclidean_distance_to_a_tenth_and_a_pixel(seed):
    masks = blobs(seed)
    found = np.asarray(distance.signed(masks))[..., 0] * (REACH_PX - 0.5)
    for signed, mask in zip(found[:2], masks[:2, ..., 0], strict=True):
        wanted = euclidean(mask)
        is_near = np.abs(wanted) < 0.85 * REACH_PX
        error = np.abs(signed - wanted)[is_near]
        assert (error <= 0.1 * np.abs(wanted[is_near]) + 1).all()
        is_far = np.abs(wanted) > 1.15 * REACH_PX
        np.testing.assert_allclose(np.abs(signed[is_far]), REACH_PX - 0.5)
        assert ((signed > 0) == (mask > 0)).all()
    assert (found[2] == 0.5 - REACH_PX).all()


def test_an_images_border_is_no_outline():
    found = np.asarray(distance.signed(np.ones((1, 40, 40, 1))))
    np.testing.assert_allclose(found, 1)


def test_the_loss_weighs_near_and_far_alike():
    masks = blobs(0)
    wanted = np.asarray(distance.signed(masks))
    np.testing.assert_allclose(distance.distance_l1(masks, wanted), 0, atol=1e-7)
    # An error far from any mask counts by the mean there, however few pixels are near one.
    is_far = wanted == -1
    np.testing.assert_allclose(distance.distance_l1(masks, wanted + 0.2 * is_far), 0.1, rtol=1e-5)
    near = np.asarray(distance.distance_l1(masks, wanted + 0.2 * ~is_far))
    np.testing.assert_allclose(near, [0.1, 0.1, 0], atol=1e-6)


def test_the_loss_takes_soft_truth_from_a_half_on():
    masks = blobs(3)
    soft = np.where(masks > 0, 0.5, 0.49).astype(np.float32)
    said = np.random.default_rng(0).uniform(-1, 1, masks.shape).astype(np.float32)
    found = np.asarray(distance.distance_l1(soft, said))
    np.testing.assert_array_equal(found, np.asarray(distance.distance_l1(masks, said)))
