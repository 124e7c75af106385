"""This holds the detector and its display: attenuation to exposure, noise and 8 bits."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.scans.phantom.anatomy import View
from tfptx.scans.phantom.canvas import Canvas
from tfptx.scans.phantom.projection import Attenuation

WHITE = 255
SHOULDER = 1.1  # attenuation times this is the exponent of the detector's curve
SHARE_SHUTTERED = 0.25
SHARE_WHITE_BORDER = 0.2  # of those with shutters
SHARE_MARKED = 0.8
SHARE_PORTABLE = 0.6  # of bedside images with a side marker: the word is burnt in too


@dataclass(frozen=True)
class Exposure:
    """How one image was exposed and processed; levels are of 0 to 255."""

    darkest: float  # level of what nothing weakened
    median: float
    brightest: float  # level of the 97th percentile
    scatter: float  # share of the rays that lost their way, which veils the image
    local_contrast: float  # gain of what is finer than a hand's breadth
    noise: float  # spread in levels
    shutters: tuple[float, float, float, float]  # hidden at the top, bottom, left, right; shares
    border: int  # level of what the shutters hide
    marked: bool  # a side marker is burnt in

    def opening(self, side_px: int) -> tuple[slice, slice]:
        """The rows and columns that the shutters leave open."""
        top, bottom, left, right = (round(share * side_px) for share in self.shutters)
        return slice(top, side_px - bottom), slice(left, side_px - right)


def draw_exposure(random: np.random.Generator, view: View) -> Exposure:
    """Draw an exposure; levels follow the competition's images."""
    bedside = view == "AP"
    # A film's bare edge is white, a shutter's shade black.
    widest = random.uniform(0.02, 0.14) if random.random() < SHARE_SHUTTERED else 0.0
    shutters = (widest * random.random(4)).tolist()
    return Exposure(
        darkest=max(0.0, random.normal(6, 9)),
        median=random.normal(135, 24),
        brightest=random.normal(210, 18),
        scatter=random.uniform(0.1, 0.4) if bedside else random.uniform(0.0, 0.15),
        local_contrast=random.uniform(0.0, 0.35),
        noise=np.exp(random.normal(0.75 if bedside else 0.35, 0.35)),
        shutters=(shutters[0], shutters[1], shutters[2], shutters[3]),
        border=240 if random.random() < SHARE_WHITE_BORDER else int(random.integers(0, 12)),
        marked=random.random() < SHARE_MARKED,
    )


def expose(
    attenuation: Attenuation,
    canvas: Canvas,
    exposure: Exposure,
    view: View,
    random: np.random.Generator,
) -> NDArray[np.uint8]:
    """The image as displayed, uint8 of the canvas's size; bone is bright."""
    veiled = cv2.addWeighted(
        attenuation, 1 - exposure.scatter, canvas.softened(attenuation, 0.12), exposure.scatter, 0
    )
    coarse = canvas.softened(veiled, 0.04)
    gain = exposure.local_contrast
    sharpened = cv2.addWeighted(veiled, 1 + gain, coarse, -gain, 0)
    levels = _tone(sharpened, exposure) + _noise(sharpened, exposure.noise, random)
    image: NDArray[np.uint8] = np.clip(levels, 0, WHITE).astype(np.uint8)
    opening = exposure.opening(canvas.side_px)
    framed = np.full_like(image, exposure.border)
    framed[opening] = image[opening]
    if exposure.marked:
        _mark(framed, view, random)
    return framed


def _tone(attenuation: Attenuation, exposure: Exposure) -> NDArray[np.float32]:
    """A power law from air through the median to the bright end, its exponent as films have it."""
    # Film and flat panel alike lose contrast where hardly a ray comes through.
    blackened = 1 - cv2.exp(-SHOULDER * np.maximum(attenuation, 0))
    middle, high = np.percentile(blackened[::8, ::8], [50, 97])
    dark, bright = exposure.darkest, max(exposure.brightest, exposure.darkest + 80)
    wanted = np.clip((exposure.median - dark) / (bright - dark), 0.25, 0.85)
    exponent = float(np.clip(np.log(wanted) / np.log(max(middle, 0.05) / high), 0.6, 2.2))
    share = blackened / high
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


def _mark(image: NDArray[np.uint8], view: View, random: np.random.Generator) -> None:
    side_px = len(image)
    thickness = max(1, side_px // 400)
    letters = [("L", 0.90, random.uniform(0.05, 0.2))]
    if view == "AP" and random.random() < SHARE_PORTABLE:
        letters.append(("AP PORTABLE", random.choice([0.04, 0.78]), random.uniform(0.04, 0.3)))
    for text, x, y in letters:
        place = (int(x * side_px), int(y * side_px))
        scale = side_px / (1024 if len(text) == 1 else 1800)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(image, text, place, font, scale, WHITE, thickness, cv2.LINE_AA)
