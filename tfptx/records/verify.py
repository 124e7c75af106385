"""This holds the check that a records folder is what its manifest says."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import tensorflow as tf

from tfptx import provenance
from tfptx.records import manifest as manifests
from tfptx.records import schema
from tfptx.records.manifest import Shard


def verify(folder: Path, advance: Callable[[float], None]) -> list[str]:
    """Read every byte and decode every example; say what is wrong, shard by shard.

    `advance` is called with the share of the work that each shard has done.
    Raises ValueError where there are no records at all.
    """
    manifest = manifests.read(folder)
    expected = {str(name): part for name, part in manifests.read_examples(folder).groupby("shard")}
    problems = []
    total_bytes = sum(shard.bytes for shard in manifest.shards)
    for shard in manifest.shards:
        problem = _problem(folder / shard.file, shard, expected.get(shard.file))
        if problem:
            problems.append(f"{shard.file}: {problem}")
        advance(shard.bytes / total_bytes)
    return problems


def _problem(path: Path, shard: Shard, expected: pd.DataFrame | None) -> str | None:
    if not path.is_file():
        return "missing"
    if provenance.sha256_of_file(path) != shard.sha256:
        return f"its bytes changed ({path.stat().st_size} now, {shard.bytes} when written)"
    if expected is None or len(expected) != shard.examples:
        listed = 0 if expected is None else len(expected)
        return f"{manifests.EXAMPLES} lists {listed} examples, the manifest {shard.examples}"
    mask_px = dict(zip(expected["image_id"], expected["mask_px"], strict=True))
    for serialised in tf.data.TFRecordDataset(str(path)):
        example = schema.parse(serialised)
        image_id = example["image_id"].numpy().decode()
        if image_id not in mask_px:
            return f"{image_id} is not listed in {manifests.EXAMPLES}"
        image = schema.decode_image(example["image"], example["image_format"])
        if image.shape[:2] != (example["rows"], example["columns"]):
            return f"{image_id} is {image.shape[0]} x {image.shape[1]}, not as its record says"
        num_pixels = int(tf.reduce_sum(tf.cast(schema.decode_mask(example), tf.int64)))
        if shard.kind != "unlabelled" and num_pixels != mask_px[image_id]:
            return f"{image_id} has {num_pixels} mask pixels, {mask_px[image_id]} when written"
    return None
