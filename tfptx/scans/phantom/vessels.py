"""This holds the lung's vessels: trees that fork from the hilum towards the pleura."""

import numpy as np

from tfptx.scans.phantom.curves import Points

NUM_TRUNKS = 11
NUM_FORKS = 3  # generations after the trunk
STEPS = 5  # points along one branch


def tree(
    hilum: Points, outline: Points, random: np.random.Generator
) -> tuple[list[Points], list[float], list[float]]:
    """Branches, their widths (shares of the side) and shades (0 to 1), the thinnest first."""
    branches: list[tuple[float, float, Points]] = []
    # Trunks aim at points all around the lung, so that every zone has vessels of its own.
    aims = (np.arange(NUM_TRUNKS) + random.uniform(-0.3, 0.3, NUM_TRUNKS)) / NUM_TRUNKS
    for aim in aims:
        target = outline[int(aim * len(outline)) % len(outline)]
        reach = target - hilum[0]
        length = random.uniform(0.25, 0.5) * float(np.hypot(*reach))
        angle = float(np.arctan2(reach[1], reach[0]))
        width = random.uniform(0.006, 0.011)
        _grow(branches, hilum[0], angle, length, width, NUM_FORKS, random)
    branches.sort(key=lambda branch: branch[0])
    return [b[2] for b in branches], [b[0] for b in branches], [b[1] for b in branches]


def _grow(
    branches: list[tuple[float, float, Points]],
    start: Points,
    angle: float,
    length: float,
    width: float,
    forks: int,
    random: np.random.Generator,
) -> None:
    bend = random.normal(0, 0.4)
    angles = angle + bend * np.linspace(0, 1, STEPS) + random.normal(0, 0.1, STEPS)
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=1) * (length / STEPS)
    branch = np.concatenate([start[None], start + np.cumsum(steps, axis=0)])
    shade = float(np.clip(width / 0.011, 0.15, 1.0)) * random.uniform(0.7, 1.0)
    branches.append((width, shade, branch))
    if not forks:
        return
    spread = random.uniform(0.25, 0.55)
    for turn in (-spread, spread * random.uniform(0.6, 1.2)):
        shorter, thinner = random.uniform(0.62, 0.85), random.uniform(0.55, 0.72)
        _grow(
            branches,
            branch[-1],
            float(angles[-1]) + turn,
            length * shorter,
            width * thinner,
            forks - 1,
            random,
        )
