"""This holds smooth curves through a few points, bands along them, and areas; all in the plane."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # N x 2, x to the patient's left and y to the feet


def closed(points: Points, num: int = 240) -> Points:
    """A smooth loop through `points`, `num` points evenly spaced, the first where it was."""
    wrapped = np.concatenate([points[-1:], points, points[:2]])
    return _evenly(_catmull_rom(wrapped), num)


def opened(points: Points, num: int = 48) -> Points:
    """A smooth curve from the first to the last of `points`, `num` points evenly spaced."""
    extended = np.concatenate([points[:1], points, points[-1:]])
    return _evenly(_catmull_rom(extended), num)


def band(curve: Points, width: float | NDArray[np.float64]) -> Points:
    """The outline of a band of `width` (one, or one a point) along a curve."""
    half = np.broadcast_to(np.asarray(width) / 2, len(curve))[:, None] * normals(curve)
    return np.concatenate([curve + half, (curve - half)[::-1]])


def normals(curve: Points) -> Points:
    """Unit vectors across a curve, one a point."""
    along = np.gradient(curve, axis=0)
    across = np.stack([along[:, 1], -along[:, 0]], axis=1)
    length = np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    return np.asarray(across / length, np.float64)


def area(outline: Points) -> float:
    """The area inside a loop, by the shoelace formula."""
    x, y = outline.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def _catmull_rom(points: Points, steps: int = 12) -> Points:
    """The spline through all but the first and last point (Catmull and Rom, 1974)."""
    before, start, end, after = (points[k : len(points) - 3 + k, None] for k in range(4))
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    spline = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return np.concatenate([spline.reshape(-1, 2), points[-2:-1]])


def _evenly(curve: Points, num: int) -> Points:
    steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(steps)])
    wanted = np.linspace(0, along[-1], num)
    return np.stack([np.interp(wanted, along, curve[:, k]) for k in range(2)], axis=1)
