"""This holds the augmentation of training examples: the recipe as one function of its seed."""

import os
import random
from collections import deque
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.config import Augmentation
from tfptx.pipeline import recipe as reach

# albumentations asks its registry for a newer version when it is imported.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
import albumentations

Pixels = NDArray[np.uint8]
Mask = NDArray[np.uint8 | np.float32]
Augment = Callable[[Pixels, Mask, int, bytes], tuple[Pixels, Mask]]


def augmenting(recipe: Augmentation, seed: int) -> Augment:
    """Make the function (image, mask, epoch, image_id) -> (image, mask) of a recipe.

    Image and mask are uint8 S x S x 1, the mask of 0 and 1, and stay so; or the mask is float32 in
    [0, 1]. A mask of 0 and 1 alone is sampled at the nearest pixel, any other bilinearly. What
    moves in from outside is black and no pneumothorax. The outcome hangs on the seed, the epoch and
    the image id alone, and the function may be called from any number of threads.
    """
    # One Compose at a time belongs to one call. A threading.local would not do: TensorFlow's
    # threads get a new Python state, so a new Compose, at each call.
    idle: dict[int, deque[albumentations.Compose]] = {
        cv2.INTER_NEAREST: deque(),
        cv2.INTER_LINEAR: deque(),
    }

    def augment(image: Pixels, mask: Mask, epoch: int, image_id: bytes) -> tuple[Pixels, Mask]:
        interpolation = cv2.INTER_LINEAR if _is_soft(mask) else cv2.INTER_NEAREST
        try:
            transform = idle[interpolation].pop()
        except IndexError:
            transform = _compose(recipe, interpolation)
        _reseed(transform, seed, epoch, image_id)
        augmented = transform(image=image[..., 0], mask=mask[..., 0])
        idle[interpolation].append(transform)
        return augmented["image"][..., np.newaxis], augmented["mask"][..., np.newaxis]

    return augment


def _is_soft(mask: Mask) -> bool:
    return mask.dtype == np.float32 and bool(((mask > 0) & (mask < 1)).any())


def _reseed(transform: albumentations.Compose, seed: int, epoch: int, image_id: bytes) -> None:
    drawn = reach.number(seed, epoch, image_id)
    # Its set_random_seed would give every member the same numbers: the flip and the affine family,
    # at one probability, would always come together.
    transform.set_random_state(np.random.default_rng(drawn), random.Random(drawn))


def _compose(recipe: Augmentation, mask_interpolation: int) -> albumentations.Compose:
    families = [
        albumentations.HorizontalFlip(p=recipe.horizontal_flip),
        albumentations.OneOf(
            [
                albumentations.RandomBrightnessContrast(
                    brightness_limit=0, contrast_limit=reach.CONTRAST_SHARE
                ),
                albumentations.RandomGamma(gamma_limit=reach.GAMMA_PERCENT),
                albumentations.RandomBrightnessContrast(
                    brightness_limit=reach.BRIGHTNESS_SHARE, contrast_limit=0
                ),
            ],
            p=recipe.tone,
        ),
        albumentations.OneOf(
            [
                albumentations.ElasticTransform(
                    alpha=reach.ELASTIC_ALPHA_PX,
                    sigma=reach.ELASTIC_SIGMA_PX,
                    noise_distribution="uniform",
                ),
                albumentations.GridDistortion(
                    num_steps=reach.GRID_STEPS, distort_limit=reach.GRID_SHARE
                ),
                albumentations.OpticalDistortion(distort_limit=reach.OPTICAL_COEFFICIENT),
            ],
            p=recipe.distortion,
        ),
        albumentations.Affine(
            translate_percent={
                "x": (-recipe.shift_share, recipe.shift_share),
                "y": (-recipe.shift_share, recipe.shift_share),
            },
            scale=(1 - recipe.scale_share, 1 + recipe.scale_share),
            keep_ratio=True,
            rotate=(-recipe.rotate_degrees, recipe.rotate_degrees),
            p=recipe.affine,
        ),
    ]
    return albumentations.Compose(
        [family for family in families if family.p > 0], mask_interpolation=mask_interpolation
    )
