"""This holds what mimics a pleural line: skin folds and companion shadows of ribs."""

import numpy as np

from tfptx.scans.phantom import curves
from tfptx.scans.phantom.anatomy import SIGN, Side
from tfptx.scans.phantom.canvas import Canvas, Layer
from tfptx.scans.phantom.curves import Points

FOLD_WIDTH = 0.05  # over which a fold's shade fades towards the midline


def skin_fold(canvas: Canvas, outline: Points, side: Side, random: np.random.Generator) -> Layer:
    """A fold of skin over a lung: sharp on its outer side, fading on its inner, past the lung."""
    widest = float(np.abs(outline[:, 0]).max())
    tall = float(outline[:, 1].max())
    y = np.array([-0.08, 0.25, 0.6, random.uniform(0.8, 1.1)]) * tall
    x = widest * (random.uniform(0.62, 0.9) + random.uniform(-0.14, 0.14) * np.linspace(-1, 1, 4))
    x += random.normal(0, 0.012, 4)
    edge = curves.opened(np.stack([x, y], axis=1)) * (SIGN[side], 1)
    inwards = np.array([-SIGN[side], 0.0])
    fold = np.concatenate([edge, edge[::-1] + 2 * FOLD_WIDTH * inwards])
    near = np.concatenate([edge - 0.02 * inwards, edge[::-1] + 0.02 * inwards])
    sharp = canvas.filled([fold], 0.0012)
    fading = canvas.filled([near], 0.02)
    return np.asarray((sharp.astype(np.uint16) * fading) >> 8, np.uint8)


def companion_shadow(
    canvas: Canvas, outline: Points, hilum: Points, random: np.random.Generator
) -> Layer:
    """A thin bright line along the apex: the fat under the first ribs."""
    start, length = int(random.integers(0, 12)), int(random.integers(20, 45))
    stretch = np.roll(outline, -start, axis=0)[:length]
    line = stretch + (hilum - stretch) * random.uniform(0.02, 0.06)
    return canvas.stroked([line], 0.003, 0.001)
