"""The engine for accelerators, against OpenCV and against the other engine."""

import itertools
import os
import subprocess
import sys

import albumentations
import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pipeline.test_augmentation import GEOMETRY, SIZE_PX, recipe
from tfptx.pipeline import augmentation_graph as graph
from tfptx.pipeline import recipe as reach
from tfptx.pipeline.augmentation import augmenting

NUM_EXAMPLES = 600
ON_TWO_DEVICES = """
import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from tfptx.pipeline import augmentation_graph as graph

by_image = NamedSharding(Mesh(np.array(jax.devices()), ("images",)), PartitionSpec("images"))
shapes = (4, 32, 32, 1), (4, 32, 32, 1), (4, graph.num_draws(32))
arrays = [jax.ShapeDtypeStruct(shape, np.float32, sharding=by_image) for shape in shapes]
print(jax.jit(graph.apply).lower(*arrays).compile().as_text())
"""
# A difference of means or shares beyond so many standard errors would come once in 15,000 times.
NUM_ERRORS = 4


@pytest.fixture(scope="module")
def example():
    """A smooth image, and a mask of two discs."""
    random = np.random.default_rng(0)
    image = cv2.GaussianBlur(random.integers(0, 256, (SIZE_PX, SIZE_PX), np.uint8), (0, 0), 3)
    mask = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    cv2.circle(mask, (30, 40), 14, 1, -1)
    cv2.circle(mask, (66, 50), 9, 1, -1)
    return image[..., np.newaxis], mask[..., np.newaxis]


def draws_of(*scalars, steps=None, noise=None):
    """One row of draws."""
    num_noise = graph.num_draws(SIZE_PX) - graph.NUM_SCALARS - graph.NUM_STEPS
    parts = (
        scalars[0] if scalars else graph.Scalars(),
        np.ones(graph.NUM_STEPS) if steps is None else steps,
        np.zeros(num_noise) if noise is None else noise,
    )
    return np.concatenate(parts).astype(np.float32)


def apply_one(image, mask, draws):
    found = graph.apply(image[np.newaxis], mask[np.newaxis], draws[np.newaxis])
    return tuple(np.asarray(each)[0] for each in found)


def drawn(changed, count=NUM_EXAMPLES):
    return np.stack(
        [graph.draw(changed, 1, 0, f"id{index}".encode(), SIZE_PX) for index in range(count)]
    )


def column(rows, name):
    return rows[:, graph.Scalars._fields.index(name)]


def assert_alike(found, expected):
    """Two samples agree in mean and in spread within their sampling errors."""
    for one, other in (
        (found, expected),
        (np.square(found - found.mean()), np.square(expected - expected.mean())),
    ):
        error = np.sqrt(one.var() / len(one) + other.var() / len(other))
        assert abs(one.mean() - other.mean()) <= NUM_ERRORS * error, (one.mean(), other.mean())


def test_draws_of_a_recipe_of_zeros_change_nothing(example):
    draws = graph.draw(recipe(), 0, 0, b"a", SIZE_PX)
    np.testing.assert_array_equal(draws, draws_of())
    image, mask = apply_one(*example, draws)
    assert image.dtype == mask.dtype == np.float32
    np.testing.assert_array_equal(image, example[0])
    np.testing.assert_array_equal(mask, example[1])


def test_draws_hang_on_the_arguments_alone():
    everything = recipe(**GEOMETRY, tone=0.5)
    keys = list(itertools.product((0, 1), (0, 1), (b"a", b"b")))
    rows = [graph.draw(everything, *key, SIZE_PX) for key in keys]
    again = [graph.draw(everything, *key, SIZE_PX) for key in reversed(keys)]
    np.testing.assert_array_equal(rows, again[::-1])
    assert len({row.tobytes() for row in rows}) == len(rows)


def test_a_flip_mirrors_both(example):
    image, mask = apply_one(*example, draws_of(graph.Scalars(flip=-1)))
    np.testing.assert_array_equal(image, example[0][:, ::-1])
    np.testing.assert_array_equal(mask, example[1][:, ::-1])


def test_the_affine_member_moves_as_opencv_does(example):
    scalars = graph.Scalars(radians=0.6, scale=1.08, shift_x=0.05, shift_y=-0.03)
    image, mask = apply_one(*example, draws_of(scalars))
    middle = (SIZE_PX - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), np.rad2deg(0.6), 1.08)
    matrix[:, 2] += np.array([0.05, -0.03]) * SIZE_PX
    expected = cv2.warpAffine(example[0], matrix, (SIZE_PX, SIZE_PX))
    inner = cv2.erode(
        cv2.warpAffine(np.ones_like(example[0]), matrix, (SIZE_PX, SIZE_PX)), np.ones((5, 5))
    )
    # OpenCV counts places in 32nds of a pixel.
    assert (np.abs(image[..., 0] - expected)[inner > 0] <= 3).all()
    moved = cv2.warpAffine(example[1], matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_NEAREST)
    assert (mask[..., 0] != moved).mean() < 0.005


def test_each_tone_equals_the_other_engines_within_a_level(example):
    levels = np.arange(SIZE_PX**2, dtype=np.uint8).reshape(SIZE_PX, SIZE_PX, 1)
    for scalars, expected in (
        (graph.Scalars(contrast=1.15), np.clip(1.15 * levels, 0, 255)),
        (graph.Scalars(brightness=-40.0), np.clip(levels - 40.0, 0, 255)),
        (graph.Scalars(gamma=0.85), 255 * (levels / 255) ** 0.85),
    ):
        image, mask = apply_one(levels, example[1], draws_of(scalars))
        assert np.abs(image - expected).max() <= 0.51
        np.testing.assert_array_equal(mask, example[1])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 100), st.text(max_size=5))
def test_a_mask_stays_binary_and_goes_where_its_image_goes(seed, epoch, image_id):
    mask = np.zeros((SIZE_PX, SIZE_PX, 1), np.uint8)
    cv2.circle(mask, (38, 40), 16, 1, -1)
    cv2.rectangle(mask, (60, 50), (80, 70), 1, -1)
    draws = graph.draw(recipe(**GEOMETRY), seed, epoch, image_id.encode(), SIZE_PX)
    image, moved = apply_one(mask * 255, mask, draws)
    assert set(np.unique(moved)) <= {0, 1}
    np.testing.assert_array_equal(image, np.round(image))
    assert 0 <= image.min() <= image.max() <= 255
    border = cv2.morphologyEx(moved, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)) > 0
    differs = ((image >= 128) != (moved > 0))[..., 0]
    assert not (differs & ~border).any()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_batch_in_a_graph_is_that_of_its_examples(example, jit_compile):
    changed = recipe(**GEOMETRY, tone=0.5)
    rows = drawn(changed, 6)
    images, masks = (np.stack([part] * 6) for part in example)
    compiled = tf.function(graph.apply, jit_compile=jit_compile)
    found = compiled(tf.constant(images), tf.constant(masks), tf.constant(rows))
    expected = [apply_one(*example, row) for row in rows]
    for i in range(6):
        # A compiler's other order of sums can move a place over an edge.
        assert (np.abs(found[0][i] - expected[i][0]) > 1).mean() < 0.002
        assert (np.asarray(found[1][i]) != expected[i][1]).mean() < 0.002


def test_families_and_members_come_as_often_as_the_recipe_says():
    rows = drawn(recipe(horizontal_flip=0.5, tone=0.3, distortion=0.6, affine=0.5), 4000)
    noise = rows[:, graph.NUM_SCALARS + graph.NUM_STEPS :]
    grid = rows[:, graph.NUM_SCALARS : graph.NUM_SCALARS + graph.NUM_STEPS]
    for seen, share in (
        (column(rows, "flip") == -1, 0.5),
        (column(rows, "contrast") != 1, 0.1),
        (column(rows, "gamma") != 1, 0.1),
        (column(rows, "brightness") != 0, 0.1),
        (noise.any(axis=1), 0.2),
        ((grid != 1).any(axis=1), 0.2),
        (column(rows, "optical") != 0, 0.2),
        (column(rows, "radians") != 0, 0.5),
        ((column(rows, "radians") != 0) & (column(rows, "flip") == -1), 0.25),
    ):
        assert abs(seen.mean() - share) <= NUM_ERRORS * np.sqrt(share * (1 - share) / len(rows))


def moved_points(changed):
    """By engine, where three dots of an example land in many draws: N x 3 x 2, in pixels."""
    size_px = SIZE_PX
    dots = np.array([(48, 48), (62, 48), (48, 34)])
    found = {"albumentations": [], "graph": []}
    augment = augmenting(changed, 1)
    images = []
    for x, y in dots:
        spot = np.zeros((size_px, size_px), np.float32)
        spot[y, x] = 1
        blurred = cv2.GaussianBlur(spot, (0, 0), 2)
        images.append((255 * blurred / blurred.max()).astype(np.uint8)[..., np.newaxis])
    rows = drawn(changed)
    empty = np.zeros((size_px, size_px, 1), np.uint8)
    for image in images:
        ours, _ = graph.apply(np.stack([image] * len(rows)), np.stack([empty] * len(rows)), rows)
        found["graph"].append([middle(each) for each in np.asarray(ours)])
        found["albumentations"].append(
            [middle(augment(image, empty, 0, f"id{i}".encode())[0]) for i in range(len(rows))]
        )
    return {name: np.stack(places, axis=1) for name, places in found.items()}


def middle(image):
    weights = image[..., 0].astype(np.float64)
    grid = np.arange(SIZE_PX)
    return np.array([(weights.sum(axis=0) * grid).sum(), (weights.sum(axis=1) * grid).sum()]) / (
        weights.sum()
    )


def test_turning_and_scaling_are_distributed_as_the_other_engines():
    places = moved_points(recipe(affine=1.0, shift_share=0.0))
    arms = {name: found[:, 1] - found[:, 0] for name, found in places.items()}
    for statistic in (lambda arm: np.arctan2(arm[:, 1], arm[:, 0]), lambda arm: np.hypot(*arm.T)):
        assert_alike(statistic(arms["graph"]), statistic(arms["albumentations"]))


def test_shifts_are_distributed_as_the_other_engines():
    places = moved_points(recipe(affine=1.0, scale_share=0.0, rotate_degrees=0.0))
    shifts = {name: found[:, 0] - 48 for name, found in places.items()}
    for axis in range(2):
        # The other engine cuts shifts to whole pixels, towards 0.
        ours, others = np.trunc(shifts["graph"][:, axis]), shifts["albumentations"][:, axis]
        assert_alike(ours, others)


def test_distortions_move_as_far_as_the_other_engines():
    places = moved_points(recipe(distortion=1.0))
    lengths = {
        name: np.linalg.norm(found - found.mean(axis=0), axis=2) for name, found in places.items()
    }
    for dot in range(3):
        assert_alike(lengths["graph"][:, dot], lengths["albumentations"][:, dot])


def grid_map(steps):
    """Where albumentations takes the pixels of an axis from."""
    functional = albumentations.augmentations.geometric.functional
    shape = (SIZE_PX, SIZE_PX)
    normal = functional.normalize_grid_distortion_steps(
        shape, reach.GRID_STEPS, [*steps[0], 1.0], [*steps[1], 1.0]
    )
    return functional.generate_grid(shape, normal["steps_x"], normal["steps_y"], reach.GRID_STEPS)


def optical_map(coefficient):
    functional = albumentations.augmentations.geometric.functional
    return functional.get_camera_matrix_distortion_maps((SIZE_PX, SIZE_PX), coefficient)


def places_of(draws):
    """Where `apply` takes the pixels from, x and y."""
    scalars = graph.Scalars(*draws[: graph.NUM_SCALARS].reshape(-1, 1, 1, 1))
    x, y, _ = graph._places(scalars, draws[np.newaxis], SIZE_PX)
    return np.asarray(x)[0], np.asarray(y)[0]


def test_the_grid_and_optical_members_take_pixels_from_where_the_other_engine_does():
    steps = np.array([[0.8, 1.2, 1.1, 0.7, 1.2], [1.3, 0.9, 0.7, 1.1, 1.0]])
    for draws, expected in (
        (draws_of(steps=steps.ravel()), grid_map(steps)),
        (draws_of(graph.Scalars(optical=0.25)), optical_map(0.25)),
        (draws_of(graph.Scalars(optical=-0.25)), optical_map(-0.25)),
    ):
        # Its centre is half a pixel off, and its grid is of whole pixels.
        for found, place in zip(places_of(draws), expected, strict=True):
            assert np.abs(found - place).max() < 1.6


def test_tones_are_distributed_as_the_other_engines(example):
    changed = recipe(tone=1.0)
    augment = augmenting(changed, 1)
    image, mask = example
    rows = drawn(changed)
    ours, _ = graph.apply(np.stack([image] * len(rows)), np.stack([mask] * len(rows)), rows)
    ours = np.asarray(ours)
    others = np.stack([augment(image, mask, 0, f"id{i}".encode())[0] for i in range(len(rows))])
    for statistic in (np.mean, np.std):
        assert_alike(
            statistic(ours, axis=(1, 2, 3)), statistic(others.astype(float), axis=(1, 2, 3))
        )


def test_elastic_displacements_have_the_deviation_of_smoothed_noise():
    changed = recipe(distortion=1.0)
    rows = drawn(changed, 60)
    noise = rows[:, graph.NUM_SCALARS + graph.NUM_STEPS :]
    x, y = graph._elastic(noise[noise.any(axis=1)], SIZE_PX)
    random = np.random.default_rng(0)
    smoothed = reach.ELASTIC_ALPHA_PX * cv2.GaussianBlur(
        random.uniform(-1, 1, (1024, 1024)), (0, 0), reach.ELASTIC_SIGMA_PX
    )
    for found in (x, y):
        assert abs(np.std(found) / smoothed.std() - 1) < 0.1
        steps = np.std(np.diff(found, axis=2)) / np.std(np.diff(smoothed, axis=1))
        assert abs(steps - 1) < 0.1


def test_of_one_batch_soft_masks_are_interpolated_and_hard_ones_are_not(example):
    image, mask = example
    soft = image.astype(np.float32) / 255
    draws = drawn(recipe(**GEOMETRY), 12)
    images = np.repeat(image[np.newaxis], 12, axis=0)
    masks = np.stack([(mask, soft)[index % 2].astype(np.float32) for index in range(12)])
    found_images, found = map(np.asarray, graph.apply(images, masks, draws))
    _, hard = map(np.asarray, graph.apply(images, np.repeat(mask[np.newaxis], 12, axis=0), draws))
    np.testing.assert_array_equal(found[::2], hard[::2])
    # The image is the soft mask's grey, rounded once.
    np.testing.assert_allclose(found[1::2], found_images[1::2] / 255, atol=0.51 / 255)
    assert (np.abs(found[1::2] * 255 - found_images[1::2]) > 0.1).any()
    compiled = tf.function(graph.apply, jit_compile=True)(images, masks, draws)[1]
    np.testing.assert_allclose(compiled[1::2], found[1::2], atol=1e-3)
    assert set(np.unique(compiled[::2])) == {0, 1}


def test_devices_that_share_a_batch_send_each_other_nothing():
    pytest.importorskip("jax")
    flags = "--xla_force_host_platform_device_count=2"
    done = subprocess.run(
        [sys.executable, "-c", ON_TWO_DEVICES],
        env=os.environ | {"KERAS_BACKEND": "jax", "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "num_partitions=2" in done.stdout
    assert "all-" not in done.stdout
    assert "collective" not in done.stdout
