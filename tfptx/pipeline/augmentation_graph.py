"""This holds the augmentation on the device: the recipe as draws on the host and one resampling."""

from math import ceil, pi, sqrt
from typing import Any, NamedTuple

import numpy as np
from keras import ops
from numpy.typing import NDArray

from tfptx.config import Augmentation
from tfptx.pipeline import recipe as reach

Tensor = Any  # keras ships no types; an array of the backend in use
Floats = NDArray[np.float32]

# A cubic B-spline has the variance of a Gaussian whose sigma is its knot spacing over sqrt(3).
KNOT_SPACING_PX = sqrt(3) * reach.ELASTIC_SIGMA_PX
# What smoothing leaves of noise that is uniform in [-alpha, alpha].
ELASTIC_DEVIATION_PX = reach.ELASTIC_ALPHA_PX / sqrt(3) / (2 * sqrt(pi) * reach.ELASTIC_SIGMA_PX)
# The mean over all places of the sum of a B-spline's squared weights: the integral of its square.
SPLINE_POWER = 151 / 315


class Scalars(NamedTuple):
    """The draws of an example but for the steps of the grid and the elastic noise.

    The defaults change nothing. `flip` is -1 or 1, `shift_x` and `shift_y` are shares of the side,
    `brightness` is in grey levels.
    """

    flip: float = 1
    contrast: float = 1
    brightness: float = 0
    gamma: float = 1
    optical: float = 0
    radians: float = 0
    scale: float = 1
    shift_x: float = 0
    shift_y: float = 0


NUM_SCALARS = len(Scalars._fields)
NUM_STEPS = 2 * reach.GRID_STEPS


def num_draws(size_px: int) -> int:
    """The number of values that `draw` gives for an image of `size_px`."""
    return NUM_SCALARS + NUM_STEPS + 2 * _num_knots(size_px) ** 2


def draw(recipe: Augmentation, seed: int, epoch: int, image_id: bytes, size_px: int) -> Floats:
    """Draw an example's augmentation: float32, `num_draws` long, for `apply`.

    It hangs on the arguments alone. In order: `Scalars`, the grid's steps along x and along y, and
    the elastic noise of each knot along x and along y, in pixels.
    """
    random = np.random.default_rng(reach.number(seed, epoch, image_id))
    flip, tone, distortion, affine = random.random(4) < (
        recipe.horizontal_flip,
        recipe.tone,
        recipe.distortion,
        recipe.affine,
    )
    member_of_tone, member_of_distortion = random.integers(3, size=2)
    scalars = Scalars(flip=-1 if flip else 1)
    if tone:
        scalars = scalars._replace(**_tone(random, int(member_of_tone)))
    if affine:
        scalars = scalars._replace(**_affine(random, recipe))
    steps = np.ones((2, reach.GRID_STEPS))
    noise = np.zeros((2, _num_knots(size_px), _num_knots(size_px)))
    match int(member_of_distortion) if distortion else None:
        case 0:
            noise = random.normal(0, ELASTIC_DEVIATION_PX / SPLINE_POWER, noise.shape)
        case 1:
            steps += random.uniform(-reach.GRID_SHARE, reach.GRID_SHARE, steps.shape)
            steps /= steps.mean(axis=1, keepdims=True)
        case 2:
            coefficient = reach.OPTICAL_COEFFICIENT
            scalars = scalars._replace(optical=random.uniform(-coefficient, coefficient))
    return np.concatenate([scalars, steps.ravel(), noise.ravel()]).astype(np.float32)


def apply(images: Tensor, masks: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
    """Augment a batch as `draws`, float32 N x `num_draws`, say.

    Images in [0, 255] and masks in [0, 1] are N x S x S x 1 of any dtype; given back are float32,
    whole grey levels, and masks. What moves in from outside is black and no pneumothorax. Image and
    mask are sampled once, at places that both share: the image and a soft mask bilinearly, a mask
    of 0 and 1 alone at the nearest pixel. Nothing branches on a value, so that it compiles with
    XLA.
    """
    size_px = images.shape[1]
    columns = ops.split(draws[:, :NUM_SCALARS], NUM_SCALARS, axis=1)
    scalars = Scalars(*(ops.reshape(column, (-1, 1, 1)) for column in columns))
    x, y, is_inside = _places(scalars, draws, size_px)
    toned = _toned(ops.cast(images, "float32")[..., 0], scalars)
    image, mask = _sampled(toned, ops.cast(masks, "float32")[..., 0], x, y)
    is_inside = ops.cast(is_inside, "float32")
    return (ops.round(image) * is_inside)[..., None], (mask * is_inside)[..., None]


def _tone(random: np.random.Generator, member: int) -> dict[str, float]:
    match member:
        case 0:
            return {"contrast": 1 + random.uniform(-reach.CONTRAST_SHARE, reach.CONTRAST_SHARE)}
        case 1:
            return {"gamma": random.uniform(*reach.GAMMA_PERCENT) / 100}
        case _:
            share = random.uniform(-reach.BRIGHTNESS_SHARE, reach.BRIGHTNESS_SHARE)
            return {"brightness": 255 * share}


def _affine(random: np.random.Generator, recipe: Augmentation) -> dict[str, float]:
    return {
        "radians": np.deg2rad(random.uniform(-recipe.rotate_degrees, recipe.rotate_degrees)),
        "scale": 1 + random.uniform(-recipe.scale_share, recipe.scale_share),
        "shift_x": random.uniform(-recipe.shift_share, recipe.shift_share),
        "shift_y": random.uniform(-recipe.shift_share, recipe.shift_share),
    }


def _toned(images: Tensor, scalars: Scalars) -> Tensor:
    """Whole grey levels of images, N x S x S."""
    shares = ops.clip(images * scalars.contrast + scalars.brightness, 0, 255) / 255
    return ops.round(255 * ops.power(shares, scalars.gamma))


def _places(scalars: Scalars, draws: Tensor, size_px: int) -> tuple[Tensor, Tensor, Tensor]:
    """Where each pixel comes from, x and y in pixels, and whether that is inside the image.

    All are N x S x S. The way is that of the other engine backwards: affine, distortion, flip. On
    the way a place is counted in sides from the centre, so the image reaches from -0.5 to 0.5.
    """
    centred = ((np.arange(size_px) + 0.5) / size_px - 0.5).astype(np.float32)
    x, y = centred[None, None, :] - scalars.shift_x, centred[None, :, None] - scalars.shift_y
    cosine, sine = ops.cos(scalars.radians), ops.sin(scalars.radians)
    x, y = (cosine * x - sine * y) / scalars.scale, (sine * x + cosine * y) / scalars.scale
    is_inside = _is_inside(x, y)
    first, second, end = NUM_SCALARS, NUM_SCALARS + reach.GRID_STEPS, NUM_SCALARS + NUM_STEPS
    x, y = _stepped(x, draws[:, first:second]), _stepped(y, draws[:, second:end])
    squared = x**2 + y**2
    factor = 1 + scalars.optical * (squared + squared**2)
    # The noise is alike everywhere and in all directions, so it needs no turning with the affine.
    moved_x, moved_y = _elastic(draws[:, end:], size_px)
    x, y = factor * x + moved_x / size_px, factor * y + moved_y / size_px
    is_inside = ops.logical_and(is_inside, _is_inside(x, y))
    return (scalars.flip * x + 0.5) * size_px - 0.5, (y + 0.5) * size_px - 0.5, is_inside


def _is_inside(x: Tensor, y: Tensor) -> Tensor:
    return ops.maximum(ops.abs(x), ops.abs(y)) * 2 < 1


def _stepped(centred: Tensor, steps: Tensor) -> Tensor:
    """Coordinates through a line whose slope changes at each step of the grid."""
    place = centred + 0.5
    slopes = ops.reshape(steps, (-1, reach.GRID_STEPS, 1, 1))
    moved = slopes[:, 0] * place
    for step in range(1, reach.GRID_STEPS):
        beyond = ops.relu(place - step / reach.GRID_STEPS)
        moved += (slopes[:, step] - slopes[:, step - 1]) * beyond
    return moved - 0.5


def _elastic(noise: Tensor, size_px: int) -> tuple[Tensor, Tensor]:
    """Displacements along x and y in pixels, N x S x S: the noise of the knots made smooth."""
    num_knots = _num_knots(size_px)
    weights = _spline(size_px)
    knots = ops.reshape(noise, (-1, 2, num_knots, num_knots))
    smooth = ops.matmul(ops.matmul(weights, knots), weights.T)
    return smooth[:, 0], smooth[:, 1]


def _num_knots(size_px: int) -> int:
    return ceil(size_px / KNOT_SPACING_PX) + 3


def _spline(size_px: int) -> Floats:
    """The weight of each knot at each pixel of an axis: cubic B-splines, S x knots."""
    knots = np.arange(_num_knots(size_px)) - 1
    distance = np.abs(np.arange(size_px)[:, np.newaxis] / KNOT_SPACING_PX - knots)
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    return np.where(distance < 1, near, far).astype(np.float32)


def _fetch(values_and_places: tuple[Tensor, Tensor]) -> Tensor:
    """The rows of one image's values that stand at places, with the places' shape."""
    return ops.take(*values_and_places, axis=0)


def _sampled(images: Tensor, masks: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Images and soft masks, bilinearly, and other masks, at the nearest pixel; all are N x S x S.

    A place that lies beyond the middle of a pixel on the border has that pixel's value.
    """
    size_px = images.shape[1]
    # Both are fetched together: it is the fetching from anywhere that takes the time. Each image is
    # fetched from alone, for a batch's images may lie on several devices.
    both = ops.reshape(ops.stack([images, masks], axis=-1), (-1, size_px**2, 2))
    left, top = ops.floor(x), ops.floor(y)

    def fetched(column: Tensor, row: Tensor) -> Tensor:
        column, row = (ops.cast(ops.clip(each, 0, size_px - 1), "int32") for each in (column, row))
        return ops.vectorized_map(_fetch, (both, row * size_px + column))

    right_share, bottom_share = (x - left)[..., None], (y - top)[..., None]
    top_left, top_right = fetched(left, top), fetched(left + 1, top)
    bottom_left, bottom_right = fetched(left, top + 1), fetched(left + 1, top + 1)
    upper = top_left + right_share * (top_right - top_left)
    lower = bottom_left + right_share * (bottom_right - bottom_left)
    bilinear = upper + bottom_share * (lower - upper)
    is_right, is_bottom = 2 * right_share >= 1, 2 * bottom_share >= 1
    nearest = ops.where(
        is_bottom,
        ops.where(is_right, bottom_right, bottom_left),
        ops.where(is_right, top_right, top_left),
    )
    between = ops.logical_and(masks > 0, masks < 1)
    is_soft = ops.any(between, axis=(1, 2), keepdims=True)
    return bilinear[..., 0], ops.where(is_soft, bilinear[..., 1], nearest[..., 1])
