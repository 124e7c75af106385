"""Small records and a run folder as fit leaves it, with random weights: nothing was fitted."""

import cv2
import keras
import numpy as np
import pandas as pd

from tests.conftest import REPOSITORY
from tfptx import config, files, runs
from tfptx.network import unet
from tfptx.network.heads import mask
from tfptx.records import build
from tfptx.scans import rle

SIZE_PX = 64
TERMS = "{weighted_bce=1.0, presence_bce=1.0, distance_l1=1.0}"  # of both heads
SHAPES = ((80, 112), (96, 72))  # rows and columns; none of them square or the network's


def write_images(folder, count):
    """Cloudy images of both shapes as PNG and JPEG by turns, and a csv of masks beside them."""
    random = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    rows = []
    for index in range(count):
        shape = SHAPES[index % 2]
        coarse = random.integers(0, 256, (6, 6), np.uint8)
        image = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
        suffix = (".png", ".jpg")[index % 3 == 0]
        cv2.imwrite(str(folder / "images" / f"image{index:02d}{suffix}"), image)
        mask = np.zeros(shape, bool)
        mask[10 : 30 + index, 20:40] = index % 2 == 0
        rows.append((f"image{index:02d}", rle.encode(mask)))
    pd.DataFrame(rows, columns=["ImageId", "EncodedPixels"]).to_csv(
        folder / "train.csv", index=False
    )
    return folder / "images"


def write_records(folder, count=10, test_share=0.0, annotated=True):
    images = write_images(folder, count)
    annotations = folder / "train.csv" if annotated else None
    options = build.Options(num_folds=2, test_share=test_share)
    records = folder / "records"
    return records, build.build(images, annotations, None, records, options, lambda share: None)


def write_run(
    run,
    records_fingerprint,
    folds=(0, 1),
    seed=0,
    stage="2",
    size_px=SIZE_PX,
    heads=(),
    encoder="resnet18",
):
    """A U-Net of random weights whose head is shifted so that masks are not empty."""
    study = config.read(
        REPOSITORY / "configs" / "resnet34.toml",
        (
            f"network.encoder={encoder}",
            "network.encoder_weights=random",
            f"stage.{stage}.size_px={size_px}",
            f"network.heads={list(heads)}",
            *(
                f"stage.{each}.curriculum=[{{from_epoch=0, ramp_epochs=0, weights={TERMS}}}]"
                for each in (1, 2)
                if heads
            ),
        ),
    )
    for fold in folds:
        keras.utils.set_random_seed(seed + fold)
        network = unet.build(encoder, heads=heads)
        image = (
            np.random.default_rng(0).integers(0, 256, (1, size_px, size_px, 1)).astype("float32")
        )
        blurred = cv2.GaussianBlur(image[0], (0, 0), 8)[None, ..., None]
        logits = mask(network(blurred)).numpy()
        head = network.get_layer("logits")
        # A third of the pixels ends above 0, and logits spread by about 2.
        kernel, bias = head.get_weights()
        scale = 2 / logits.std()
        head.set_weights([kernel * scale, bias - scale * np.quantile(logits, 0.67)])
        if "presence" in heads:
            _spread_presences(network, np.concatenate([blurred, image[0][None]]))
        folder = runs.stage_folder(run, fold, stage)
        folder.path.mkdir(parents=True)
        network.save_weights(folder.best_weights)
        files.write_text(folder.config_toml, config.to_toml(study))
        runs.write_environment(folder, {"records": records_fingerprint})
        runs.write_result(folder, {"epoch": 1, "epochs": 2})
    return run


def _spread_presences(network, images):
    """Shift the head so that one of two images is positive and the other one is not."""
    head = network.get_layer("presence")
    random = np.random.default_rng(0)
    head.set_weights([random.normal(size=weight.shape) for weight in head.get_weights()])
    logits = network(images)["presence"].numpy()[:, 0]
    kernel, bias = head.get_weights()
    scale = 2 / (logits[0] - logits[1])
    head.set_weights([kernel * scale, scale * (bias - logits.mean())])
