"""A small study as the commands leave it: maps with previews, sweeps, a run of both stages."""

import cv2
import numpy as np
import pandas as pd

from tests.conftest import REPOSITORY
from tfptx import config, files, runs
from tfptx.operating_point import map_writer, sweep, tables
from tfptx.scans import rle

SIDE_PX = 32
THRESHOLDS = (0.25, 0.5, 0.75)
MIN_PIXELS = {"threshold": (0,), "joint": (0, 20, 60)}
TERMS = ("weighted_bce", "soft_dice", "lovasz_hinge")


def unheard(share):
    """Progress that nobody follows."""


def square(side_px, value):
    """Levels that are `value` in a square and 0 around it."""
    levels = np.zeros((SIDE_PX, SIDE_PX), np.uint16)
    levels[4 : 4 + side_px, 4 : 4 + side_px] = value
    return levels


# id, side of the true square, levels. At (0.5, 20): found twice, missed, alarm, two left empty.
IMAGES = (
    ("found", 10, square(10, 9000)),
    ("cut", 12, square(8, 9000)),
    ("missed", 9, square(9, 1000)),
    ("alarm", 0, square(10, 8000)),
    ('<b>speck & "quote"', 0, square(3, 9000)),
    ("clear", 0, square(0, 0)),
)


def write_maps(folder):
    source = {"runs": ["a" * 64], "stage": "2", "size_px": SIDE_PX, "records": "c" * 64}
    preview = bytes(cv2.imencode(".jpg", np.full((SIDE_PX, SIDE_PX), 90, np.uint8))[1])
    with map_writer.writing(folder, [(SIDE_PX, SIDE_PX)] * len(IMAGES), source) as writer:
        for i, (image_id, true_side_px, levels) in enumerate(IMAGES):
            row = {
                "image_id": image_id,
                "patient_id": f"patient of {image_id}",
                "fold": 0,
                "truth_rle": rle.encode(square(true_side_px, 1) > 0),
                "view": "PA",
                "sex": "FM"[i % 2],
                "age": 42,
            }
            writer.append(row, levels, preview)
    return folder


def write_sweeps(study, folder, kinds=("threshold", "joint")):
    for kind in kinds:
        axes = {"threshold": THRESHOLDS, "min_pixels": MIN_PIXELS[kind]}
        found = sweep.run(kind, axes, [folder], SIDE_PX, lambda share: None)
        tables.write_sweep(study, found, overwrite=True)


def write_run(run, is_finished=True):
    """Both stages of fold 0, two epochs each; the second has ended where `is_finished`."""
    study = config.read(REPOSITORY / "configs" / "seresnext50.toml")
    for stage in ("1", "2"):
        folder = runs.stage_folder(run, 0, stage)
        folder.path.mkdir(parents=True)
        files.write_text(folder.config_toml, config.to_toml(study))
        runs.write_environment(folder, {"records": "c" * 64, "initial_weights": "d" * 64})
        pd.DataFrame([_epoch(epoch) for epoch in range(2)]).to_csv(folder.history_csv, index=False)
        if stage == "1" or is_finished:
            folder.best_weights.write_bytes(stage.encode())
            scores = {"mean_dice": 0.81, "positive_dice": 0.4, "threshold": 0.5, "min_pixels": 0}
            runs.write_result(folder, {"epoch": 1, "epochs": 2, **scores})
    return run


def _epoch(epoch):
    losses = {name: 1 / (epoch + 1) for term in TERMS for name in (term, f"val_{term}")}
    return {
        "epoch": epoch,
        "learning_rate": 1e-4,
        "positive_share": 0.8,
        "trainable_groups": ("decoder", "stride32+decoder")[epoch],
        **{f"{term}_weight": float(term == "weighted_bce") for term in TERMS},
        **losses,
        "loss": 1.0,
        "val_loss": 1.0,
        "val_mean_dice": 0.7 + epoch / 10,
        "val_positive_dice": 0.4 * epoch,
        "val_threshold": 0.5,
        "val_min_pixels": 0.0,
        "seconds": 1.0,
    }
