"""This holds the outlines of lungs, body and heart in the patient's plane."""

import numpy as np

from tfptx.scans.phantom import curves
from tfptx.scans.phantom.anatomy import SIGN, Anatomy, Posture, Side
from tfptx.scans.phantom.curves import Points

# The rib cage's inner wall from apex to costophrenic angle, in half widths at heights.
WALL_Y = (0.0, 0.065, 0.26, 0.55, 0.85, 1.16, 1.5)
WALL_X = (0.36, 0.60, 0.82, 0.96, 1.0, 0.985, 0.95)


def half_width(anatomy: Anatomy, posture: Posture, side: Side) -> float:
    """The rib cage's width on one side; turning the patient widens one and narrows the other."""
    return anatomy.half_width * (1 - SIGN[side] * posture.turn)


def height(anatomy: Anatomy, posture: Posture) -> float:
    """From the apex to the dome of the diaphragm."""
    return anatomy.height * posture.inspiration


def outline(anatomy: Anatomy, posture: Posture, side: Side) -> Points:
    """A lung's loop, 240 points from the apex down its outer side and back along the middle."""
    left = side == "left"
    heart = anatomy.heart * (1.1 if posture.view == "AP" else 1.0)
    drop = anatomy.left_drop if left else 0.0
    border = heart if left else 0.25
    shape = [
        (anatomy.apex, 0.0),
        *zip(WALL_X[1:5], WALL_Y[1:5], strict=True),
        (0.985, 1.14 + drop),
        (0.955, 1.15 + drop),
        (0.84, 1.05 + drop),
        (0.60, 1.0 + drop),
        (border + 0.06, 1.05 + drop),
        (border, 0.99 + drop / 2),
        (0.92 * border, 0.84),
        (0.5 * border + 0.12, 0.62),
        (0.20, 0.46),
        (anatomy.aorta if left else 0.17, 0.27),
        (0.15, 0.10),
        (0.20, 0.02),
    ]
    return curves.closed(_scaled(shape, anatomy, posture, side))


def hilum(anatomy: Anatomy, posture: Posture, side: Side) -> Points:
    """Where a lung's vessels enter, and to which it collapses; 1 x 2."""
    return _scaled([(0.30 if side == "left" else 0.26, 0.47)], anatomy, posture, side)


def wall(anatomy: Anatomy, posture: Posture, side: Side, y: float) -> float:
    """The inner wall's distance from the midline at height `y` of the plane."""
    reach = np.interp(y / height(anatomy, posture), WALL_Y, WALL_X)
    return float(reach) * half_width(anatomy, posture, side)


def torso(anatomy: Anatomy) -> Points:
    """The loop around neck, shoulders and trunk."""
    flank = anatomy.half_width + anatomy.fat
    half = np.array(
        [
            (0.085, -0.45),
            (0.085, -0.16),
            (0.14, -0.095),
            (0.30, -0.05),
            (anatomy.shoulder, 0.01),
            (anatomy.shoulder + 0.04, 0.12),
            (flank + 0.05, 0.24),
            (flank, 0.40),
            (flank, 0.60),
            (flank + 0.03, 1.3),
        ]
    )
    return curves.closed(np.concatenate([half, (half * (-1, 1))[::-1]]))


def heart(anatomy: Anatomy, posture: Posture) -> Points:
    """The loop around heart and great vessels."""
    border = anatomy.heart * (1.1 if posture.view == "AP" else 1.0)
    tall = height(anatomy, posture)
    shape = np.array(
        [
            (-0.14, 0.0),
            (0.14, 0.0),
            (anatomy.aorta, 0.27),
            (0.5 * border + 0.10, 0.60),
            (border, 0.86),
            (0.9 * border, 1.08),
            (0.1, 1.2),
            (-0.2, 1.08),
            (-0.28, 0.85),
            (-0.20, 0.5),
            (-0.15, 0.2),
        ]
    )
    return curves.closed(shape * (anatomy.half_width, tall))


def breast(anatomy: Anatomy, posture: Posture, side: Side) -> Points:
    """The loop around a breast; its lower edge crosses lung or belly."""
    low = 0.85 + 1.5 * anatomy.fat
    shape = [(0.25, 0.5), (0.7, 0.45), (1.12, 0.6), (1.18, low), (0.95, low + 0.2)]
    shape += [(0.6, low + 0.21), (0.28, low + 0.05)]
    return curves.closed(_scaled(shape, anatomy, posture, side))


def _scaled(
    shape: list[tuple[float, float]], anatomy: Anatomy, posture: Posture, side: Side
) -> Points:
    wide = SIGN[side] * half_width(anatomy, posture, side)
    return np.array(shape) * (wide, height(anatomy, posture))
