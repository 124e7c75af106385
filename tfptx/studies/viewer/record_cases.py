"""This holds the cases of records: radiographs with their annotations."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from tfptx.records import manifest, schema
from tfptx.studies.report import cases
from tfptx.studies.viewer import case_list


class RecordCases:
    """The cases of a records folder. Raises ValueError where it is none."""

    def __init__(self, folder: Path) -> None:
        manifest.read(folder)
        examples = manifest.read_examples(folder)
        truth_px = pd.to_numeric(examples["mask_px"].replace("", np.nan))
        is_labelled, is_positive = truth_px.notna(), truth_px > 0
        kinds = np.select([is_positive, is_labelled], ["positive", "negative"], "unlabelled")
        images = examples.assign(
            truth_px=truth_px, rows=examples["mask_rows"], columns=examples["mask_columns"]
        )
        unknown: list[Any] = [None] * len(images)
        self.title = str(folder)
        self.detail = "Records have annotations, and no decisions yet."
        self.rows = case_list.rows(images, kinds.tolist(), unknown, unknown)
        self._paths = [folder / shard for shard in examples["shard"]]

    def case(self, position: int) -> dict[str, Any]:
        """See `case_list.Cases`. Raises ValueError where the shard lacks the example."""
        image_id, path = self.rows[position]["id"], self._paths[position]
        try:
            example = _find(path, image_id)
        except tf.errors.OpError as error:
            raise ValueError(
                f"{path} can't be read ({error.message}); check it with tfptx verify-records"
            ) from error
        truth = None
        if example["labelled"].numpy():
            truth = schema.decode_mask(example).numpy()[..., 0] > 0
        kind = example["image_format"].numpy().decode()
        picture = cases.data_uri(example["image"].numpy(), kind)
        return case_list.pictures(truth, None, None, picture)


def _find(path: Path, image_id: str) -> dict[str, tf.Tensor]:
    """The example of an image, searched for in its shard: of 256 that takes some 50 ms."""
    for serialised in tf.data.TFRecordDataset(str(path)):
        example = schema.parse(serialised)
        if example["image_id"].numpy().decode() == image_id:
            return example
    raise ValueError(f"{path} has no {image_id}; check it with tfptx verify-records")
