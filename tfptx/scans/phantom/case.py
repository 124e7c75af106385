"""This holds one case: what a patient's image shows, and its drawing with truth."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.scans.phantom import anatomy, disease, lungs, projection, rendering
from tfptx.scans.phantom.anatomy import Anatomy, Posture, Side
from tfptx.scans.phantom.canvas import Canvas
from tfptx.scans.phantom.projection import SIDES, Findings

SMALLEST_CANVAS_PX = 512  # ribs and vessels need this many pixels to be drawn as lines

# How often each stands in an image without and with pneumothorax. Drains are commoner where there
# is one, as in hospitals, yet must not tell a network the answer.
SHARE_DRAIN = {False: 0.08, True: 0.40}
SHARE_LEADS = {False: 0.30, True: 0.35}
SHARE_TUBES = {False: 0.25, True: 0.30}
SHARE_FOLD = {False: 0.30, True: 0.12}
SHARE_COMPANION = {False: 0.30, True: 0.15}
SHARE_GAS = {False: 0.6, True: 0.6}
SHARE_HAZE = {False: 0.40, True: 0.30}


@dataclass(frozen=True)
class Phantom:
    """A generated radiograph, uint8 rows x columns, and its truth of the same size."""

    image: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    anatomy: Anatomy
    posture: Posture
    has_drain: bool


def draw(
    patient: Anatomy, side: Side, positive: bool, size_px: int, random: np.random.Generator
) -> Phantom:
    """Draw one image of a patient whose lung on `side` is the one to collapse where `positive`.

    A truth too thin to show at `size_px` is made larger until a pixel of it does.
    """
    # A whole multiple of the size shrinks without moving an edge.
    factor = -(-SMALLEST_CANVAS_PX // size_px)
    posture = anatomy.draw_posture(random)
    canvas = Canvas(size_px * factor, posture.placement())
    exposure = rendering.draw_exposure(random, posture.view)
    area = disease.draw_area(random) / posture.scale**2
    states = random.spawn(3)
    while True:
        findings = _draw_findings(patient, posture, side, positive, area, states[0])
        attenuation, truth = projection.project(canvas, patient, posture, findings, states[1])
        seen = np.zeros_like(truth)
        opening = exposure.opening(canvas.side_px)
        seen[opening] = truth[opening]
        truth = _shrunk(seen, size_px)
        if truth.any() == positive:
            break
        area *= 1.5
    image = rendering.expose(attenuation, canvas, exposure, posture.view, states[2])
    image = np.asarray(cv2.resize(image, (size_px, size_px), interpolation=cv2.INTER_AREA))
    return Phantom(image, truth, patient, posture, findings.drain is not None)


def _draw_findings(
    patient: Anatomy,
    posture: Posture,
    side: Side,
    positive: bool,
    area: float,
    random: np.random.Generator,
) -> Findings:
    either: Side = SIDES[int(random.integers(2))]
    outline = lungs.outline(patient, posture, side)
    hilum = lungs.hilum(patient, posture, side)

    def has(shares: dict[bool, float]) -> bool:
        return bool(random.random() < shares[positive])

    return Findings(
        collapse=disease.draw_collapse(outline, hilum, area, random) if positive else None,
        drain=side if has(SHARE_DRAIN) else None,
        leads=has(SHARE_LEADS),
        tubes=has(SHARE_TUBES),
        fold=either if has(SHARE_FOLD) else None,
        companion=either if has(SHARE_COMPANION) else None,
        gas=has(SHARE_GAS),
        haze=random.uniform(0.05, 0.25) if has(SHARE_HAZE) else 0.0,
        line=random.uniform(0.07, 0.17),
    )


def _shrunk(truth: NDArray[np.bool_], size_px: int) -> NDArray[np.bool_]:
    share = cv2.resize(truth.astype(np.float32), (size_px, size_px), interpolation=cv2.INTER_AREA)
    return np.asarray(share >= 0.5, np.bool_)  # noqa: PLR2004 - most of the pixel
