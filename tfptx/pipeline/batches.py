"""This holds the batches: what training, validation and prediction see of the records."""

from collections.abc import Callable, Iterable
from functools import partial
from math import ceil
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfptx import schedules
from tfptx.config import Study
from tfptx.pipeline import augmentation, augmentation_graph, examples, sampling
from tfptx.pipeline.examples import Place
from tfptx.records import manifest as manifests
from tfptx.records import schema
from tfptx.records.manifest import KINDS, Kind, Manifest, Shard
from tfptx.scans.folds import TEST
from tfptx.stage_config import Stage

LABELLED: tuple[Kind, ...] = ("positive", "negative")
TRUTH = ("rows", "columns", "mask_rows", "mask_columns", "mask_starts", "mask_lengths")
PASSED_ON = (
    "image_id",
    "patient_id",
    "view",
    "sex",
    "age",
    "spacing_mm",
    "image",
    "image_format",
    "labelled",
    *TRUTH,
)


def training(
    records: Path,
    held_out: int,
    study: Study,
    stage: str,
    epoch: int,
    first_batch: int = 0,
    part: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """The batches of one epoch of a stage, from all folds but `held_out` and the test share.

    Each is (images, masks), uint8 N x S x S x 1, in [0, 255] and of 0 and 1: the network casts
    them, and a quarter of the bytes goes to it. With the engine "graph" they are not augmented yet,
    and a third part, float32 N x `num_draws`, holds the draws for `augmentation_graph.apply`. Draw,
    order and augmentation hang on the study's seed and the epoch alone, not on threads; so from
    `first_batch` on they are those of the whole epoch. `part` is the number of this process and how
    many there are that each load an equal part of every batch. Raises ValueError where the records
    lack the fold, or the other folds have no labelled or no positive examples.
    """
    settings = study.plan(stage)
    drawn = _drawn(records, held_out, study, stage, epoch)
    left = np.arange(first_batch * settings.batch_size, len(drawn))
    part_of_left = sampling.part(left, settings.batch_size, *part)
    places: list[Place] = [drawn[number] for number in part_of_left]
    augment = _augmenting(study, epoch, settings.size_px)

    def read(number: NDArray[np.int64]) -> bytes:
        return places[number].read()

    def load(number: tf.Tensor) -> tuple[tf.Tensor, ...]:
        serialised = tf.numpy_function(read, [number], tf.string, stateful=False)
        example = schema.parse(tf.ensure_shape(serialised, []))
        return augment(*_resized(example, settings.size_px), example["image_id"])

    # No function here is declared stateful, for TensorFlow's deterministic mode would run all of
    # them one by one.
    return (
        tf.data.Dataset.range(len(places))
        .map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(settings.batch_size // part[1])
        .prefetch(tf.data.AUTOTUNE)
    )


def image_ids(
    records: Path, held_out: int, study: Study, stage: str, epoch: int, batch: int
) -> list[str]:
    """The ids of the images of one batch of `training`, in their order."""
    size = study.plan(stage).batch_size
    places = _drawn(records, held_out, study, stage, epoch)[batch * size : (batch + 1) * size]
    return [schema.parse(place.read())["image_id"].numpy().decode() for place in places]


def num_steps(records: Path, held_out: int, study: Study, stage: str, epoch: int) -> int:
    """The number of batches that `training` gives in an epoch. Raises ValueError as it does."""
    settings = study.plan(stage)
    shards = _training_shards(records, held_out)
    num_positives = sum(shard.examples for shard in shards if shard.kind == "positive")
    num_negatives = sum(shard.examples for shard in shards if shard.kind == "negative")
    share = _positive_share(settings, epoch)
    size = sampling.num_examples(num_positives, num_negatives, share, settings.batch_size)
    return size // settings.batch_size


def validation(records: Path, fold: int, size_px: int, batch_size: int) -> tf.data.Dataset:
    """The labelled examples of a fold as (images, masks, truth), in the records' order.

    Images and masks are those of training, unaugmented. `truth` holds the features of `TRUTH`, N
    values each, the runs ragged: the mask at its own size, and the image's. Raises ValueError where
    the records lack the fold, or it has no labelled examples.
    """
    shards = _shards(manifests.read(records), [fold], LABELLED, records)

    def load(example: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        return *_resized(example, size_px), {name: example[name] for name in TRUTH}

    loaded = examples.read(records, shards).map(
        load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return _counted(loaded.ragged_batch(batch_size), shards, batch_size)


def prediction(records: Path, fold: int, size_px: int, batch_size: int) -> tf.data.Dataset:
    """All examples of a fold, -1 the test share, as batches of features with their images.

    `images` is float32 N x S x S x 1 in [0, 255]; beside it stand the features of `PASSED_ON`,
    N values each, the mask's runs ragged. Raises ValueError where the records lack the fold.
    """
    shards = _shards(manifests.read(records), [fold], KINDS, records)

    def load(example: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        decoded = schema.decode_image(example["image"], example["image_format"])
        image = examples.resize(decoded, size_px)
        return {"images": image, **{name: example[name] for name in PASSED_ON}}

    def with_float(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {**batch, "images": tf.cast(batch["images"], tf.float32)}

    loaded = examples.read(records, shards).map(
        load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    batches = loaded.ragged_batch(batch_size).map(
        with_float, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return _counted(batches, shards, batch_size)


def _augmenting(study: Study, epoch: int, size_px: int) -> Callable[..., tuple[tf.Tensor, ...]]:
    """Make the function (image, mask, image_id) -> an element of `training`."""
    if study.augmentation.engine == "graph":
        draw = partial(augmentation_graph.draw, study.augmentation, study.seed, epoch)
        num_draws = augmentation_graph.num_draws(size_px)

        def with_draws(
            image: tf.Tensor, mask: tf.Tensor, image_id: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            drawn = tf.numpy_function(draw, [image_id, size_px], tf.float32, stateful=False)
            return image, mask, tf.ensure_shape(drawn, [num_draws])

        return with_draws

    augment = augmentation.augmenting(study.augmentation, study.seed)

    def augmented(image: tf.Tensor, mask: tf.Tensor, image_id: tf.Tensor) -> tuple[tf.Tensor, ...]:
        both = tf.numpy_function(
            augment, [image, mask, epoch, image_id], [tf.uint8, tf.uint8], stateful=False
        )
        return tf.ensure_shape(both[0], image.shape), tf.ensure_shape(both[1], mask.shape)

    return augmented


def _resized(example: dict[str, tf.Tensor], size_px: int) -> tuple[tf.Tensor, tf.Tensor]:
    """An example's image and mask, uint8 S x S x 1."""
    image = schema.decode_image(example["image"], example["image_format"])
    # Most masks are empty, and drawing one takes as long as decoding its image.
    mask = tf.cond(
        tf.size(example["mask_starts"]) > 0,
        lambda: examples.resize(
            schema.decode_mask(example), size_px, (example["rows"], example["columns"])
        ),
        lambda: tf.zeros([size_px, size_px, 1], tf.uint8),
    )
    return examples.resize(image, size_px), mask


def _counted(batches: tf.data.Dataset, shards: list[Shard], batch_size: int) -> tf.data.Dataset:
    """Batches of known number: Keras warns of a data set that just ends."""
    num_batches = ceil(sum(shard.examples for shard in shards) / batch_size)
    counted = batches.apply(tf.data.experimental.assert_cardinality(num_batches))
    return counted.prefetch(tf.data.AUTOTUNE)


def _drawn(records: Path, held_out: int, study: Study, stage: str, epoch: int) -> list[Place]:
    """The places of an epoch's examples in their order."""
    settings = study.plan(stage)
    places = examples.locate(records, _training_shards(records, held_out))
    is_positive = np.array([place.kind == "positive" for place in places])
    numbers = sampling.draw(
        np.flatnonzero(is_positive),
        np.flatnonzero(~is_positive),
        _positive_share(settings, epoch),
        settings.batch_size,
        study.seed,
        epoch,
    )
    return [places[number] for number in numbers]


def _positive_share(settings: Stage, epoch: int) -> float:
    line = settings.positive_share
    return schedules.line(epoch, settings.epochs, line.start, line.end)


def _training_shards(records: Path, held_out: int) -> list[Shard]:
    """The labelled shards of all folds but the held-out one and the test share."""
    manifest = manifests.read(records)
    if held_out == TEST:
        raise ValueError("the test share is never trained on; hold out a fold from 0")
    manifests.check_fold(records, manifest, held_out)
    others = {shard.fold for shard in manifest.shards} - {held_out, TEST}
    if not others:
        raise ValueError(
            f"{records} has no fold to train on beside fold {held_out}; make it with more --folds"
        )
    shards = _shards(manifest, others, LABELLED, records)
    if not any(shard.kind == "positive" for shard in shards):
        raise ValueError(
            f"{manifests.named(others)} of {records}, beside fold {held_out}, have no positive "
            "example to train on; make the records with fewer --folds or with annotations that "
            "have masks"
        )
    return shards


def _shards(
    manifest: Manifest, folds: Iterable[int], kinds: Iterable[Kind], records: Path
) -> list[Shard]:
    for fold in folds:
        manifests.check_fold(records, manifest, fold)
    shards = manifest.select(folds, kinds)
    if not shards:
        raise ValueError(
            f"{manifests.named(folds)} of {records} has no labelled example; "
            "make the records with --annotations"
        )
    return shards
