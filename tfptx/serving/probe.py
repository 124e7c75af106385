"""This holds the probe: a generated radiograph, which any model must be able to answer."""

import numpy as np

from tfptx.scans.codec import to_png
from tfptx.scans.phantom import anatomy, case

PROBE_PX = 256


def radiograph(size_px: int = PROBE_PX) -> bytes:
    """A generated radiograph, always the same, as PNG."""
    random = np.random.default_rng(0)
    patient = anatomy.draw_anatomy(random)
    return to_png(case.draw(patient, "left", True, size_px, random).image)
