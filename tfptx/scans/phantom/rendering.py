"""This holds the detector and its display: attenuation to exposure, noise and 8 bits."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.scans.phantom.anatomy import View
from tfptx.scans.phantom.canvas import Canvas
from tfptx.scans.phantom.projection import Attenuation

WHITE = 255


@dataclass(frozen=True)
class Exposure:
    """How one image was exposed and processed; levels are of 0 to 255."""

    darkest: float  # level of the 3rd percentile
    median: float
    brightest: float  # level of the 97th percentile
    local_contrast: float  # gain of what is finer than a hand's breadth
    noise: float  # spread in levels
    collimated: float  # share of the image's side that the shutters hide at each border
    marked: bool  # a side marker is burnt in


def draw_exposure(random: np.random.Generator, view: View) -> Exposure:
    """Draw an exposure; levels follow the competition's images."""
    bedside = view == "AP"
    return Exposure(
        darkest=max(0.0, random.normal(12, 14)),
        median=random.normal(135, 24),
        brightest=random.normal(210, 18),
        local_contrast=random.uniform(0.0, 0.7),
        noise=np.exp(random.normal(0.75 if bedside else 0.35, 0.35)),
        collimated=random.uniform(0.01, 0.07) if random.random() < 0.25 else 0.0,  # noqa: PLR2004
        marked=random.random() < 0.8,  # noqa: PLR2004
    )


def expose(
    attenuation: Attenuation,
    canvas: Canvas,
    exposure: Exposure,
    view: View,
    random: np.random.Generator,
) -> NDArray[np.uint8]:
    """The image as displayed, uint8 of the canvas's size; bone is bright."""
    coarse = canvas.softened(attenuation, 0.04)
    sharpened = attenuation + exposure.local_contrast * (attenuation - coarse)
    levels = _tone(sharpened, exposure) + _noise(sharpened, exposure.noise, random)
    image: NDArray[np.uint8] = np.clip(levels, 0, WHITE).astype(np.uint8)
    if exposure.collimated:
        _collimate(image, exposure.collimated, random)
    if exposure.marked:
        _mark(image, view, random)
    return image


def _tone(attenuation: Attenuation, exposure: Exposure) -> NDArray[np.float32]:
    """A power law through the three levels, its exponent kept within what films do."""
    low, middle, high = np.percentile(attenuation[::8, ::8], [3, 50, 97])
    dark, bright = exposure.darkest, max(exposure.brightest, exposure.darkest + 80)
    wanted = np.clip((exposure.median - dark) / (bright - dark), 0.25, 0.85)
    exponent = float(np.clip(np.log(wanted) / np.log((middle - low) / (high - low)), 0.6, 1.7))
    share = np.maximum((attenuation - low) / (high - low), 0)
    return np.asarray(dark + (bright - dark) * cv2.pow(share, exponent), np.float32)


def _noise(
    attenuation: Attenuation, spread: float, random: np.random.Generator
) -> NDArray[np.float32]:
    """Quantum noise, correlated by the detector's blur and stronger where fewer photons arrive."""
    side_px = len(attenuation)
    fine = random.standard_normal((side_px, side_px), np.float32)
    fine = cv2.GaussianBlur(fine, (0, 0), 0.6)
    half_px = side_px // 2
    coarse = random.standard_normal((half_px, half_px), np.float32)
    coarse = cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(spread * (fine + 0.7 * coarse) * (0.4 + 0.8 * attenuation), np.float32)


def _collimate(image: NDArray[np.uint8], share: float, random: np.random.Generator) -> None:
    """Shutters darken the borders, rarely a film's bare edge whitens them."""
    level = 240 if random.random() < 0.2 else int(random.integers(0, 12))  # noqa: PLR2004
    for turn in range(4):
        width = int(share * len(image) * random.uniform(0, 2))
        np.rot90(image, turn)[:width] = level


def _mark(image: NDArray[np.uint8], view: View, random: np.random.Generator) -> None:
    side_px = len(image)
    thickness = max(1, side_px // 400)
    letters = [("L", 0.90, random.uniform(0.05, 0.2))]
    if view == "AP" and random.random() < 0.6:  # noqa: PLR2004
        letters.append(("AP PORTABLE", random.choice([0.04, 0.78]), random.uniform(0.04, 0.3)))
    for text, x, y in letters:
        place = (int(x * side_px), int(y * side_px))
        scale = side_px / (1024 if len(text) == 1 else 1800)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(image, text, place, font, scale, WHITE, thickness, cv2.LINE_AA)
