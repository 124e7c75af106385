"""This holds the reading of examples: from shards to features, images and masks of one size."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfptx.records import schema
from tfptx.records.manifest import Shard

# https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
LENGTH = struct.Struct("<Q")
FRAME_BYTES = LENGTH.size + 4 + 4  # the length, its checksum and that of the content


@dataclass(frozen=True)
class Places:
    """Where each example lies: its file and the byte in it; by number, in the shards' order."""

    paths: NDArray[np.str_]
    offsets_bytes: NDArray[np.int64]
    is_positive: NDArray[np.bool_]


def read(records: Path, shards: Sequence[Shard]) -> tf.data.Dataset:
    """The examples' features, their images still encoded, in the shards' order."""
    files = [str(records / shard.file) for shard in shards]
    return tf.data.TFRecordDataset(files).map(
        schema.parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )


def locate(records: Path, shards: Sequence[Shard]) -> Places:
    """Find where each example lies, by hopping from length to length.

    Raises ValueError where a shard holds another number of examples than its manifest says.
    """
    offsets_bytes = [_offsets_bytes(records / shard.file, shard.examples) for shard in shards]
    num_examples = [shard.examples for shard in shards]
    return Places(
        paths=np.repeat([str(records / shard.file) for shard in shards], num_examples),
        offsets_bytes=np.concatenate(offsets_bytes),
        is_positive=np.repeat([shard.kind == "positive" for shard in shards], num_examples),
    )


def read_at(path: tf.Tensor, offset_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
    """The features of the one example at a place; a TensorFlow graph function.

    Its checksum is checked, as in any reading of a TFRecord.
    """
    # Only the raw op can start within a file; unbuffered, since one example is all that is read.
    variant = tf.raw_ops.TFRecordDatasetV2(
        filenames=[path], compression_type="", buffer_size=0, byte_offsets=[offset_bytes]
    )
    rest_of_shard = tf.data.experimental.from_variant(variant, tf.TensorSpec([], tf.string))
    return schema.parse(rest_of_shard.take(1).get_single_element())


def resize_image(image: tf.Tensor, size_px: int) -> tf.Tensor:
    """Resize uint8 R x C x 1 to float32 S x S x 1 of whole grey levels in [0, 255].

    An axis that shrinks is averaged by area, one that grows is interpolated; what is not square is
    stretched. Levels are whole because training augments in uint8: every way to the network then
    shows it one and the same image.
    """
    return tf.floor(_resize(image, size_px) + 0.5)


def resize_mask(mask: tf.Tensor, size_px: int) -> tf.Tensor:
    """Resize a mask of 0 and 1, R x C x 1, to float32 S x S x 1: set where at least half is."""
    return tf.floor(_resize(mask, size_px) + 0.5)


def _resize(image: tf.Tensor, size_px: int) -> tf.Tensor:
    shrunk_px = tf.minimum(tf.shape(image)[:2], size_px)
    shrunk = tf.image.resize(image, shrunk_px, "area")
    resized = tf.image.resize(shrunk, [size_px, size_px], "bilinear")
    return tf.ensure_shape(resized, [size_px, size_px, 1])


def _offsets_bytes(path: Path, num_examples: int) -> NDArray[np.int64]:
    size_bytes = path.stat().st_size
    offsets_bytes, end = [], 0
    with path.open("rb", buffering=0) as file:
        while end + FRAME_BYTES <= size_bytes:
            offsets_bytes.append(end)
            file.seek(end)
            (length_bytes,) = LENGTH.unpack(file.read(LENGTH.size))
            end += length_bytes + FRAME_BYTES
    if end != size_bytes or len(offsets_bytes) != num_examples:
        raise ValueError(
            f"{path} does not hold the {num_examples} examples that its manifest says; "
            "see what is wrong with verify-records"
        )
    return np.array(offsets_bytes, np.int64)
