"""This holds the pneumothorax: how far each part of a lung's edge has drawn back from the wall."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfptx.scans.phantom import curves
from tfptx.scans.phantom.curves import Points

# Log-normal sizes as shares of the image. The competition's median is 0.0085 with a spread of 1.08
# in natural logarithms; slivers below about 40 pixels at 128 x 128 are made rarer here.
MEDIAN_AREA = 0.015
SPREAD_OF_LOG_AREA = 0.8
SMALLEST_AREA, LARGEST_AREA = 0.0015, 0.12
SHARE_IN_TWO_PARTS = 0.15
FURTHEST = 0.8  # even a collapsed lung keeps some volume around its hilum
LEAST_SEEN = 0.012  # a lung that has drawn back less shows no line of its own
# Where along the outline from the apex, as a share of its length: apical, lateral, basal.
CENTRES = ((0.075, 0.62), (0.22, 0.23), (0.40, 0.15))  # with their shares of the cases


@dataclass(frozen=True)
class Collapse:
    """A lung that has drawn back: its outline, the point drawn to, and how far, 0 to 1 a point."""

    outline: Points
    hilum: Points
    retraction: NDArray[np.float64]

    @property
    def edge(self) -> Points:
        """The collapsed lung's outline."""
        return self.outline + (self.hilum - self.outline) * self.retraction[:, None]

    @property
    def lines(self) -> list[Points]:
        """The pleural line: the stretches of the edge that left the wall."""
        apart = self.retraction > LEAST_SEEN
        if apart.all():
            return [self.edge]
        # Rolling a point that touches the wall to the front keeps a stretch over the apex whole.
        start = int(np.argmin(apart))
        edge, apart = np.roll(self.edge, -start, axis=0), np.roll(apart, -start)
        borders = np.flatnonzero(np.diff(apart.astype(np.int8))) + 1
        stretches = np.split(np.arange(len(edge)), borders)
        return [edge[stretch] for stretch in stretches if apart[stretch[0]] and len(stretch) > 1]


def draw_area(random: np.random.Generator) -> float:
    """The area of a pneumothorax as a share of the image."""
    area = MEDIAN_AREA * np.exp(SPREAD_OF_LOG_AREA * random.normal())
    return float(np.clip(area, SMALLEST_AREA, LARGEST_AREA))


def draw_collapse(
    outline: Points, hilum: Points, area: float, random: np.random.Generator
) -> Collapse:
    """A collapse whose rim covers `area` of the plane, or as much as the lung can give."""
    position = np.arange(len(outline)) / len(outline)
    centres, shares = zip(*CENTRES, strict=True)
    centre = random.choice(centres, p=shares) + random.normal(0, 0.03)
    # A larger one reaches further round the lung.
    reach = np.clip(random.uniform(0.09, 0.15) + 1.1 * np.sqrt(area), 0.1, 0.46)
    shape = _bump(position, centre, reach)
    if random.random() < SHARE_IN_TWO_PARTS:
        shape = np.maximum(shape, 0.6 * _bump(position, random.choice(centres), 0.1))
    phases = random.uniform(0, 2 * np.pi, 4)
    for wave, phase in enumerate(phases, start=2):
        shape = shape * (1 + 0.09 * np.sin(2 * np.pi * wave * position + phase))
    shape /= shape.max()
    return Collapse(outline, hilum, shape * _depth(outline, hilum, shape, area))


def _bump(position: NDArray[np.float64], centre: float, reach: float) -> NDArray[np.float64]:
    away = np.abs((position - centre + 0.5) % 1 - 0.5) / reach
    return np.where(away < 1, 0.5 + 0.5 * np.cos(np.pi * np.minimum(away, 1)), 0.0) ** 0.8


def _depth(outline: Points, hilum: Points, shape: NDArray[np.float64], area: float) -> float:
    """The largest retraction that makes the rim's area, by bisection."""
    whole = curves.area(outline)
    low, high = 0.0, FURTHEST
    for _ in range(24):
        middle = (low + high) / 2
        rim = whole - curves.area(Collapse(outline, hilum, shape * middle).edge)
        low, high = (middle, high) if rim < area else (low, middle)
    return high
