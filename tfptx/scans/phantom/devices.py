"""This holds what stands in or on the patient: drains, leads, lines and tubes."""

import numpy as np

from tfptx.scans.phantom import curves, lungs
from tfptx.scans.phantom.anatomy import SIGN, Anatomy, Posture, Side
from tfptx.scans.phantom.canvas import Canvas, Layer
from tfptx.scans.phantom.curves import Points

DRAIN_WIDTH = 0.018  # 7 mm
TUBE_WIDTH = 0.007
WIRE_WIDTH = 0.0035
ELECTRODE_RADIUS = 0.011
SHARE_UPWARDS = 0.75  # of drains: their tips lie high, where air gathers
SHARE_EACH_TUBE = 0.5


def drain(
    canvas: Canvas, anatomy: Anatomy, posture: Posture, side: Side, random: np.random.Generator
) -> list[tuple[Layer, float]]:
    """A chest drain from the flank into the pleural space, with its radiopaque stripe."""
    tall = lungs.height(anatomy, posture)
    wide = lungs.half_width(anatomy, posture, side)
    entry = random.uniform(0.45, 0.9) * tall
    upwards = random.random() < SHARE_UPWARDS
    tip = random.uniform(0.08, 0.3) if upwards else random.uniform(0.8, 1.0)
    line = [
        (wide + anatomy.fat + 0.15, entry + random.uniform(0.0, 0.2)),
        (wide + 0.04, entry + 0.02),
        (0.9 * wide, entry),
        (random.uniform(0.6, 0.8) * wide, (entry + tip * tall) / 2),
        (random.uniform(0.45, 0.7) * wide, tip * tall),
    ]
    tube = curves.opened(np.array(line) * (SIGN[side], 1), 64)
    stripe = tube + curves.normals(tube) * DRAIN_WIDTH * random.uniform(-0.4, 0.4)
    wall = curves.band(tube, DRAIN_WIDTH)
    return [
        (canvas.filled([wall], 0.0007), 0.07),
        (canvas.stroked([wall], 0.002, 0.0007), 0.12),
        (canvas.stroked([stripe], 0.004, 0.0007), random.uniform(0.2, 0.4)),
    ]


def leads(
    canvas: Canvas, anatomy: Anatomy, posture: Posture, random: np.random.Generator
) -> list[tuple[Layer, float]]:
    """Electrodes of an ECG on the chest and their wires, which leave at the image's edge."""
    tall = lungs.height(anatomy, posture)
    snaps, wires = [], []
    angles = np.linspace(0, 2 * np.pi, 24)
    ring = ELECTRODE_RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    exit_x = random.uniform(-0.4, 0.4)
    for _ in range(int(random.integers(2, 6))):
        x = random.choice([-1, 1]) * random.uniform(0.35, 1.15) * anatomy.half_width
        centre = np.array([x, random.choice([0.1, 0.9]) * tall + random.normal(0, 0.05)])
        snaps.append(centre + ring)
        middle = (centre + np.array([exit_x, 1.1])) / 2 + random.normal(0, 0.08, 2)
        ends = np.array([exit_x + random.normal(0, 0.1), 1.3])
        wires.append(curves.opened(np.stack([centre, middle, ends])))
    return [
        (canvas.filled(snaps, 0.0007), 0.16),
        (canvas.stroked(snaps, 0.004, 0.0007), 0.2),
        (canvas.stroked(wires, WIRE_WIDTH, 0.0006), random.uniform(0.12, 0.3)),
    ]


def lines_and_tubes(
    canvas: Canvas, anatomy: Anatomy, posture: Posture, random: np.random.Generator
) -> list[tuple[Layer, float]]:
    """Any of a central venous line, a tracheal tube and a stomach tube."""
    tall = lungs.height(anatomy, posture)
    central = [
        (-random.uniform(0.12, 0.3), -0.1),
        (-0.16, 0.03),
        (-0.06, 0.12 * tall),
        (-0.055, random.uniform(0.4, 0.6) * tall),
    ]
    tracheal = [(0.0, -0.4), (0.005, -0.1), (0.0, 0.2 * tall)]
    stomach = [(-0.01, -0.4), (0.0, 0.2 * tall), (0.012, 0.8 * tall), (0.13, 1.25 * tall)]
    drawn: list[Points] = [
        curves.opened(np.array(line))
        for line in (central, tracheal, stomach)
        if random.random() < SHARE_EACH_TUBE
    ]
    if not drawn:
        return []
    return [(canvas.stroked(drawn, TUBE_WIDTH, 0.0008), random.uniform(0.1, 0.22))]
