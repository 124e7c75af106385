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
        shards = zip(examples["image_id"], examples["shard"], strict=True)
        self._paths = {image_id: folder / shard for image_id, shard in shards}

    def case(self, position: int) -> dict[str, Any]:
        """See `case_list.Cases`. Raises ValueError where the shard lacks the example."""
        image_id = self.rows[position]["id"]
        example = _find(self._paths[image_id], image_id)
        truth = None
        if example["labelled"].numpy():
            truth = schema.decode_mask(example).numpy()[..., 0] > 0
        return case_list.pictures(truth, None, None, _picture(example))

    def picture(self, image_id: str) -> str | None:
        """The radiograph of an image as a data URI, None where the records don't have it."""
        path = self._paths.get(image_id)
        return None if path is None else _picture(_find(path, image_id))


def _picture(example: dict[str, tf.Tensor]) -> str:
    return cases.data_uri(example["image"].numpy(), example["image_format"].numpy().decode())


def _find(path: Path, image_id: str) -> dict[str, tf.Tensor]:
    """The example of an image, searched for in its shard, which has at most a few hundred."""
    try:
        for serialised in tf.data.TFRecordDataset(str(path)):
            example = schema.parse(serialised)
            if example["image_id"].numpy().decode() == image_id:
                return example
    except tf.errors.OpError as error:
        raise ValueError(
            f"{path} can't be read ({error.message}); check it with tfptx verify-records"
        ) from error
    raise ValueError(f"{path} has no {image_id}; check it with tfptx verify-records")
