"""Small folders of maps with their truth."""

import numpy as np

from tfptx.operating_point import map_writer
from tfptx.scans import rle


def write(
    folder, levels, truths, ids=None, folds=None, counts_only=False, presences=None, **source
):
    """Write maps of these levels; a truth of None is an unlabelled image."""
    ids = ids or [f"image{i}" for i in range(len(levels))]
    folds = folds or [0] * len(levels)
    presences = presences or presences_of(len(levels))
    shapes = [each.shape for each in levels]
    with map_writer.writing(folder, shapes, source, counts_only) as writer:
        for image_id, fold, each, truth, presence in zip(
            ids, folds, levels, truths, presences, strict=True
        ):
            row = {
                "image_id": image_id,
                "patient_id": f"patient of {image_id}",
                "fold": fold,
                "truth_rle": "" if truth is None else rle.encode(truth),
                "view": "PA",
                "age": 42,
                "presence": np.float32(presence),
            }
            writer.append(row, each.astype(np.uint16), b"jpeg")
    return folder


def draw(seed, shapes):
    """Levels and truths of some shapes; the truth of every third is empty."""
    random = np.random.default_rng(seed)
    levels = [random.integers(0, 10_001, shape).astype(np.uint16) for shape in shapes]
    truths = [random.random(shape) < 0.3 * (i % 3) for i, shape in enumerate(shapes)]
    return levels, truths


def presences_of(count):
    """What a network says of so many images, where nothing else is given."""
    return [np.float32((i + 1) / (count + 1)) for i in range(count)]
