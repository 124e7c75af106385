"""This holds the bones: ribs, clavicles, shoulder blades, arms and spine as curves and bands."""

import numpy as np

from tfptx.scans.phantom import curves, lungs
from tfptx.scans.phantom.anatomy import SIGN, Anatomy, Posture, Side
from tfptx.scans.phantom.curves import Points

NUM_RIBS = 10
NUM_VERTEBRAE = 16
CLAVICLE_AT = (0.0, 0.04, 0.25, 0.96, 1.0)  # share of the way from the breastbone
CLAVICLE_WIDTH = (0.012, 0.034, 0.022, 0.027, 0.010)


def ribs(anatomy: Anatomy, posture: Posture, side: Side) -> tuple[list[Points], list[Points]]:
    """The centre lines of the ribs' posterior and of their anterior parts, from the top down."""
    pitch = 1.2 * lungs.height(anatomy, posture) / NUM_RIBS
    posterior, anterior = [], []
    for index in range(NUM_RIBS):
        top = (index - 0.35) * pitch
        drop = anatomy.rib_drop * min(1.0, 0.45 + 0.14 * index)
        reach = lungs.wall(anatomy, posture, side, top + drop) + 0.008
        back = [
            (0.02, top),
            (0.35 * reach, top - 0.008),
            (0.72 * reach, top + 0.36 * drop),
            (0.94 * reach, top + 0.78 * drop),
            (reach, top + 1.1 * drop),
        ]
        front = [
            (reach, top + 1.1 * drop),
            (0.95 * reach, top + 1.45 * drop),
            (0.78 * reach, top + 1.8 * drop),
            (0.55 * reach, top + 2.05 * drop),
        ]
        posterior.append(curves.opened(np.array(back) * (SIGN[side], 1)))
        anterior.append(curves.opened(np.array(front) * (SIGN[side], 1)))
    return posterior, anterior[: NUM_RIBS - 4]


def clavicle(anatomy: Anatomy, posture: Posture, side: Side) -> Points:
    """A collar bone's outline: from the breastbone to the shoulder in a flat S."""
    inner = 0.07 if posture.view == "PA" else 0.035
    rise = anatomy.clavicle_rise
    line = curves.opened(
        np.array(
            [
                (0.035, inner),
                (0.14, inner - 0.01 - 0.2 * rise),
                (0.25, inner - 0.035 - 0.7 * rise),
                (anatomy.shoulder - 0.07, inner - 0.03 - rise),
            ]
        )
        * (SIGN[side], 1)
    )
    return curves.band(line, np.interp(np.linspace(0, 1, 48), CLAVICLE_AT, CLAVICLE_WIDTH))


def shoulder_blade(anatomy: Anatomy, posture: Posture, side: Side) -> Points:
    """A shoulder blade's outline; its inner edge may cross the lung and mimic a pleural line."""
    wide = lungs.half_width(anatomy, posture, side)
    inner = wide * (1.05 - 0.28 * posture.scapula)
    outer = anatomy.shoulder - 0.05
    loop = np.array(
        [
            (inner - 0.01, 0.03),
            (0.5 * (inner + outer), -0.005),
            (outer, 0.03),
            (outer - 0.03, 0.08),
            (inner + 0.06, 0.24),
            (inner + 0.025, 0.30),
            (inner + 0.005, 0.24),
            (inner - 0.008, 0.12),
        ]
    )
    return curves.closed(loop * (SIGN[side], 1))


def arm(anatomy: Anatomy, posture: Posture, side: Side) -> tuple[Points, Points]:
    """The soft outline and the bone's centre line of an upper arm."""
    spread = 0.5 if posture.view == "PA" else 0.12
    joint = np.array([(anatomy.shoulder - 0.015, 0.04)])
    elbow = joint + np.array([(spread, 1.3)])
    line = curves.opened(np.concatenate([joint, (joint + elbow) / 2, elbow])) * (SIGN[side], 1)
    return curves.band(line, 0.15 + anatomy.fat / 2), line


def spine(anatomy: Anatomy) -> tuple[Points, list[Points]]:
    """The spine's outline, and its vertebrae, each a small loop."""
    y = np.linspace(-0.4, 1.1, 60)
    bend = anatomy.spine_bend * np.sin(3 * y)
    width = np.interp(y, [-0.2, 0.0, 0.9], [0.050, 0.058, 0.078])
    column = curves.band(np.stack([bend, y], axis=1), width)
    vertebrae = []
    for centre in np.linspace(-0.25, 1.0, NUM_VERTEBRAE):
        x = anatomy.spine_bend * np.sin(3 * centre)
        wide = 0.88 * np.interp(centre, [-0.2, 0.0, 0.9], [0.050, 0.058, 0.078]) / 2
        tall = 0.026
        box = [(-wide, -tall), (0, -0.85 * tall), (wide, -tall), (0.9 * wide, 0)]
        box += [(wide, tall), (0, 0.85 * tall), (-wide, tall), (-0.9 * wide, 0)]
        vertebrae.append(curves.closed(np.array(box) + np.array([x, centre]), 60))
    return column, vertebrae
