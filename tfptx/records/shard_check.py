"""This holds the check of a shard: that its examples decode and are what tables say of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray

from tfptx.records import manifest as manifests
from tfptx.records import schema
from tfptx.records.manifest import Shard
from tfptx.scans import image_headers, mask_files

SPACING_TOLERANCE = 1e-6  # a share; the example holds float32, the table its decimals
STARTS = {"jpeg": image_headers.JPEG_START, "png": image_headers.PNG_START}


def problem(path: Path, shard: Shard, listed: pd.DataFrame, soft_masks: bool) -> str | None:
    """Say what is wrong with a shard, of which `examples.csv` lists these rows.

    `soft_masks` is what the manifest says of them.
    """
    rows = {str(row["image_id"]): row for _, row in listed.iterrows()}
    try:
        for serialised in tf.data.TFRecordDataset(str(path)):
            example = {name: _numpy(value) for name, value in schema.parse(serialised).items()}
            row = rows.pop(example["image_id"], None)
            if row is None:
                return f"{example['image_id']} is not listed in {manifests.EXAMPLES}"
            found = _of_example(example, row, shard) or _of_soft_mask(example, soft_masks)
            if found:
                return f"{example['image_id']} {found}"
    except tf.errors.OpError as error:
        return f"it can't be read: {str(error).splitlines()[0]}"
    if rows:
        return f"{next(iter(rows))} of {manifests.EXAMPLES} is not in it"
    return None


def _of_example(example: dict[str, Any], row: "pd.Series[Any]", shard: Shard) -> str | None:
    size_px = example["mask_rows"] * example["mask_columns"]
    if not _are_runs(example["mask_starts"], example["mask_lengths"], size_px):
        return "has a mask that does not decode"
    found = _told_by(example)
    if (found["fold"], found["kind"]) != (shard.fold, shard.kind):
        return f"is {found['kind']} of fold {found['fold']}, and stands in another shard"
    for name in manifests.COLUMNS:
        if name not in {"shard", *manifests.TABLE_ONLY} and not are_equal(found[name], row[name]):
            return f"has the {name} {found[name]}, {row[name]} in {manifests.EXAMPLES}"
    start = STARTS.get(example["image_format"])
    if start is None or not example["image"].startswith(start):
        return f"has an image that is no {example['image_format']}"
    try:
        image = schema.decode_image(example["image"], example["image_format"])
    except tf.errors.OpError:
        return "has an image that does not decode"
    if image.shape != (example["rows"], example["columns"], 1):
        return f"is {image.shape[0]} x {image.shape[1]}, not as its record says"
    return None


def _of_soft_mask(example: dict[str, Any], soft_masks: bool) -> str | None:
    if not example["mask_soft"]:
        return None
    if not soft_masks:
        return f"has a soft mask, of which {manifests.NAME} does not tell"
    try:
        soft = schema.decode_soft_mask(example).numpy()
    except tf.errors.OpError:
        return "has a soft mask that does not decode"
    sides = (example["mask_rows"], example["mask_columns"], 1)
    if soft.shape != sides:
        return f"has a soft mask of {soft.shape[0]} x {soft.shape[1]}, not as its record says"
    if ((soft >= mask_files.LEAST_INSIDE) != schema.decode_mask(example).numpy()).any():
        return "has a soft mask that is at least a half elsewhere than its mask"
    return None


def _told_by(example: dict[str, Any]) -> dict[str, Any]:
    """What a row of the table says, by the example itself."""
    mask_px = int(example["mask_lengths"].sum()) if example["labelled"] else None
    labelled_kind = "positive" if mask_px else "negative"
    unknown = {"age": schema.UNKNOWN_AGE, "spacing_mm": schema.UNKNOWN_SPACING_MM}
    known = {name: example[name] for name in manifests.COLUMNS if name in example}
    return {
        **{name: None if value == unknown.get(name) else value for name, value in known.items()},
        "mask_px": mask_px,
        "positive": int(bool(mask_px)),
        "kind": labelled_kind if example["labelled"] else "unlabelled",
    }


def _are_runs(starts: NDArray[np.int64], lengths: NDArray[np.int64], size_px: int) -> bool:
    """Whether these are runs of a mask: ascending, apart from one another and inside."""
    if len(starts) != len(lengths) or (lengths < 1).any():
        return False
    ends = starts + lengths
    return not len(starts) or bool(
        starts[0] >= 0 and (starts[1:] > ends[:-1]).all() and ends[-1] <= size_px
    )


def are_equal(found: Any, listed: Any) -> bool:
    """Whether a feature, None where it is unknown, is what a table's cell says."""
    is_empty = listed == "" or pd.isna(listed)
    if found is None or isinstance(found, str):
        return is_empty if not found else str(listed) == found
    try:
        number = float(listed)
    except ValueError:
        return False
    tolerance = SPACING_TOLERANCE * abs(found) if isinstance(found, float) else 0
    return not is_empty and abs(number - found) <= tolerance


def _numpy(value: tf.Tensor) -> Any:
    """A feature as text, number or array; an encoded image as it is."""
    found = value.numpy()
    if not isinstance(found, bytes):
        return found if found.ndim else found.item()
    try:
        return found.decode()
    except UnicodeDecodeError:
        return found
