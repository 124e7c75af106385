"""This holds the reading of examples: from shards to features, images and masks of one size."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from tfptx.pipeline import geometry
from tfptx.records import schema
from tfptx.records.manifest import Kind, Shard

# https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
LENGTH = struct.Struct("<Q")
CHECKSUM_BYTES = 4  # of the length, and again of the content


@dataclass(frozen=True, slots=True)
class Place:
    """Where one example lies in its shard, and its kind."""

    path: Path
    offset_bytes: int
    length_bytes: int
    kind: Kind

    def read(self) -> bytes:
        """The serialised example. Its checksum is left to verify-records."""
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.offset_bytes)
            return file.read(self.length_bytes)


def read(records: Path, shards: Sequence[Shard]) -> tf.data.Dataset:
    """The examples' features, their images still encoded, in the shards' order."""
    files = [str(records / shard.file) for shard in shards]
    return tf.data.TFRecordDataset(files).map(
        schema.parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )


def locate(records: Path, shards: Sequence[Shard]) -> list[Place]:
    """Find where each example lies, in the shards' order, by hopping from length to length.

    Raises ValueError where a shard holds another number of examples than its manifest says.
    """
    return [place for shard in shards for place in _places(records / shard.file, shard)]


def resize(
    image: tf.Tensor, size_px: int, shape_of: tuple[tf.Tensor, tf.Tensor] | None = None
) -> tf.Tensor:
    """Resize uint8 R x C x 1 to uint8 S x S x 1, halves rounded up as OpenCV does.

    It takes the part of the square that `geometry.content_size` gives it or, of a mask, gives the
    image of rows x columns `shape_of` that it is drawn on. An axis that shrinks is averaged by
    area, one that grows is interpolated. Of a mask of 0 and 1 a pixel is set where at least half of
    it is. Levels are whole because training augments in uint8: every way to the network then shows
    it one and the same image.
    """
    shape = tf.shape(image)[:2]
    rows, columns = shape_of or tf.unstack(shape)
    content = geometry.content_size(rows, columns, size_px)
    is_whole = tf.reduce_all(content == size_px)

    def halved() -> tf.Tensor:
        # Bilinear is here the mean of four pixels, as area is, in half the time.
        return _rounded(tf.image.resize(image, [size_px, size_px], "bilinear"))

    def by_axis() -> tf.Tensor:
        shrunk = tf.image.resize(image, tf.minimum(shape, content), "area")
        scaled = _rounded(tf.image.resize(shrunk, content, "bilinear"))
        return tf.image.pad_to_bounding_box(scaled, 0, 0, size_px, size_px)

    resized = tf.case(
        [
            (is_whole & tf.reduce_all(shape == size_px), lambda: image),
            (is_whole & tf.reduce_all(shape == 2 * size_px), halved),
        ],
        default=by_axis,
    )
    return tf.ensure_shape(resized, [size_px, size_px, 1])


def resize_image(image: tf.Tensor, size_px: int) -> tf.Tensor:
    """Do as `resize`, to float32: whole grey levels in [0, 255]."""
    return tf.cast(resize(image, size_px), tf.float32)


def _rounded(levels: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.floor(levels + 0.5), tf.uint8)


def _places(path: Path, shard: Shard) -> list[Place]:
    places, end = [], 0
    with path.open("rb", buffering=0) as file:
        while len(header := file.read(LENGTH.size)) == LENGTH.size:
            (length_bytes,) = LENGTH.unpack(header)
            start = end + LENGTH.size + CHECKSUM_BYTES
            places.append(Place(path, start, length_bytes, shard.kind))
            end = file.seek(start + length_bytes + CHECKSUM_BYTES)
    if end != shard.bytes or path.stat().st_size != end or len(places) != shard.examples:
        raise ValueError(
            f"{path} does not hold the {shard.examples} examples that its manifest says; "
            "see what is wrong with verify-records"
        )
    return places
