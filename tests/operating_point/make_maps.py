"""Small folders of maps with their truth."""

import numpy as np

from tfptx.operating_point import maps
from tfptx.scans import rle


def write(folder, levels, truths, ids=None, **source):
    """Write maps of these levels; a truth of None is an unlabelled image."""
    ids = ids or [f"image{i}" for i in range(len(levels))]
    with maps.writing(folder, [each.shape for each in levels], source) as writer:
        for image_id, each, truth in zip(ids, levels, truths, strict=True):
            row = {
                "image_id": image_id,
                "patient_id": f"patient of {image_id}",
                "fold": 0,
                "truth_rle": "" if truth is None else rle.encode(truth),
                "view": "PA",
                "age": 42,
            }
            writer.append(row, each.astype(np.uint16), b"jpeg")
    return folder


def draw(seed, shapes):
    """Levels and truths of some shapes; the truth of every third is empty."""
    random = np.random.default_rng(seed)
    levels = [random.integers(0, 10_001, shape).astype(np.uint16) for shape in shapes]
    truths = [random.random(shape) < 0.3 * (i % 3) for i, shape in enumerate(shapes)]
    return levels, truths
