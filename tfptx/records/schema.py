"""This holds the example: how one scan and its mask are written to a TFRecord and read back.

The format is described for readers in `tfrecords/README.md`.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from tfptx.records.entry import MaskRuns
from tfptx.scans.scan import Scan

FEATURES = {
    "image": tf.io.FixedLenFeature([], tf.string),
    "image_format": tf.io.FixedLenFeature([], tf.string),
    "rows": tf.io.FixedLenFeature([], tf.int64),
    "columns": tf.io.FixedLenFeature([], tf.int64),
    "image_id": tf.io.FixedLenFeature([], tf.string),
    "patient_id": tf.io.FixedLenFeature([], tf.string),
    "fold": tf.io.FixedLenFeature([], tf.int64),
    "view": tf.io.FixedLenFeature([], tf.string),
    "sex": tf.io.FixedLenFeature([], tf.string),
    "age": tf.io.FixedLenFeature([], tf.int64),
    "spacing_mm": tf.io.FixedLenFeature([], tf.float32),
    "labelled": tf.io.FixedLenFeature([], tf.int64),
    "mask_rows": tf.io.FixedLenFeature([], tf.int64),
    "mask_columns": tf.io.FixedLenFeature([], tf.int64),
    "mask_starts": tf.io.RaggedFeature(tf.int64),
    "mask_lengths": tf.io.RaggedFeature(tf.int64),
    "mask_soft": tf.io.FixedLenFeature([], tf.string, default_value=""),
}
UNKNOWN_AGE = -1
UNKNOWN_SPACING_MM = 0.0


def serialise(scan: Scan, fold: int, mask: MaskRuns | None) -> bytes:
    """Write one example; `mask` is None where the scan has no annotation."""
    runs = mask or MaskRuns(np.empty(0, np.int64), np.empty(0, np.int64), scan.rows, scan.columns)
    values: dict[str, Any] = {
        "image": scan.image,
        "image_format": scan.image_format,
        "rows": scan.rows,
        "columns": scan.columns,
        "image_id": scan.image_id,
        "patient_id": scan.patient_id,
        "fold": fold,
        "view": scan.view,
        "sex": scan.sex,
        "age": UNKNOWN_AGE if scan.age is None else scan.age,
        "spacing_mm": UNKNOWN_SPACING_MM if scan.spacing_mm is None else scan.spacing_mm,
        "labelled": int(mask is not None),
        "mask_rows": runs.rows,
        "mask_columns": runs.columns,
        "mask_starts": runs.starts.tolist(),
        "mask_lengths": runs.lengths.tolist(),
        "mask_soft": runs.soft,
    }
    example = tf.train.Example()
    for name, spec in FEATURES.items():
        if values[name] is not None:
            _fill(example.features.feature[name], values[name], spec.dtype)
    # A map's order is else another one in each process.
    return bytes(example.SerializeToString(deterministic=True))


def parse(serialised: tf.Tensor) -> dict[str, tf.Tensor]:
    """Read one example's features, its image still encoded; a TensorFlow graph function."""
    return dict(tf.io.parse_single_example(serialised, FEATURES))


def decode_image(content: tf.Tensor, image_format: tf.Tensor) -> tf.Tensor:
    """Decode an example's image to uint8, rows x columns x 1.

    TensorFlow's default inverse DCT is off by up to 11 grey levels from every other decoder.
    """
    return tf.cond(
        image_format == "jpeg",
        lambda: tf.io.decode_jpeg(content, channels=1, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_png(content, channels=1),
    )


def decode_mask(example: dict[str, tf.Tensor]) -> tf.Tensor:
    """Draw an example's mask: uint8 of 0 and 1, mask_rows x mask_columns x 1."""
    rows, columns = example["mask_rows"], example["mask_columns"]
    starts = example["mask_starts"]
    inside = tf.ragged.range(starts, starts + example["mask_lengths"]).values
    # The runs count down the columns; scattering into row-major order spares a transpose.
    positions = (inside % rows) * columns + inside // rows
    flat = tf.scatter_nd(
        positions[:, tf.newaxis], tf.ones_like(positions, tf.uint8), [rows * columns]
    )
    return tf.reshape(flat, [rows, columns, 1])


def has_soft_mask(example: dict[str, tf.Tensor]) -> tf.Tensor:
    """Whether an example's mask has probabilities beside 0 and 1."""
    return tf.strings.length(example["mask_soft"]) > 0


def decode_soft_mask(example: dict[str, tf.Tensor]) -> tf.Tensor:
    """Decode what `has_soft_mask`: uint8, 255 for 1, mask_rows x mask_columns x 1."""
    return tf.io.decode_png(example["mask_soft"], channels=1)


def _fill(feature: tf.train.Feature, value: Any, dtype: tf.DType) -> None:
    if dtype == tf.string:
        feature.bytes_list.value.append(value if isinstance(value, bytes) else value.encode())
    elif dtype == tf.float32:
        feature.float_list.value.append(value)
    else:
        # An empty list, too, is to stand there as one.
        feature.int64_list.SetInParent()
        feature.int64_list.value.extend(value if isinstance(value, list) else [value])
