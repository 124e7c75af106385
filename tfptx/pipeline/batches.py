"""This holds the batches: what training, validation and prediction see of the records."""

from collections.abc import Callable
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
from tfptx.pipeline.material import LABELLED, Material, select
from tfptx.records import manifest as manifests
from tfptx.records import schema
from tfptx.records.manifest import KINDS, Shard
from tfptx.stage_config import Stage

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
    material: Material,
    study: Study,
    stage: str,
    epoch: int,
    first_batch: int = 0,
    part: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """The batches of one epoch of a stage, from its material.

    Each is (images, masks), uint8 N x S x S x 1, in [0, 255] and of 0 and 1: the network casts
    them, and a quarter of the bytes goes to it. Where the material has soft masks all masks are
    float32, and those probabilities in [0, 1]. With the engine "graph" they are not augmented yet,
    and a third part, float32 N x `num_draws`, holds the draws for `augmentation_graph.apply`. Draw,
    order and augmentation hang on the study's seed and the epoch alone, not on threads; so from
    `first_batch` on they are those of the whole epoch. `part` is this process's number and how many
    there are that each load an equal part of every batch. Raises ValueError as `Material` does.
    """
    settings = study.plan(stage)
    drawn = _drawn(material, study, stage, epoch)
    left = np.arange(first_batch * settings.batch_size, len(drawn))
    part_of_left = sampling.part(left, settings.batch_size, *part)
    places: list[Place] = [drawn[number] for number in part_of_left]
    augment = _augmenting(study, epoch, settings.size_px)
    target = _soft if material.has_soft_masks else _hard

    def read(number: NDArray[np.int64]) -> bytes:
        return places[number].read()

    def load(number: tf.Tensor) -> tuple[tf.Tensor, ...]:
        serialised = tf.numpy_function(read, [number], tf.string, stateful=False)
        example = schema.parse(tf.ensure_shape(serialised, []))
        image = _image(example, settings.size_px)
        return augment(image, target(example, settings.size_px), example["image_id"])

    # No function here is declared stateful, for TensorFlow's deterministic mode would run all of
    # them one by one.
    return (
        tf.data.Dataset.range(len(places))
        .map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(settings.batch_size // part[1])
        .prefetch(tf.data.AUTOTUNE)
    )


def image_ids(material: Material, study: Study, stage: str, epoch: int, batch: int) -> list[str]:
    """The ids of the images of one batch of `training`, in their order."""
    size = study.plan(stage).batch_size
    places = _drawn(material, study, stage, epoch)[batch * size : (batch + 1) * size]
    return [schema.parse(place.read())["image_id"].numpy().decode() for place in places]


def num_steps(material: Material, study: Study, stage: str, epoch: int) -> int:
    """The number of batches that `training` gives in an epoch.

    Raises ValueError as it does, or where further records have no example in it.
    """
    settings = study.plan(stage)
    shards = material.shards()
    num_positives = sum(shard.examples for shard in shards if shard.kind == "positive")
    num_negatives = sum(shard.examples for shard in shards if shard.kind == "negative")
    share = _positive_share(settings, epoch)
    num_own = sampling.num_examples(num_positives, num_negatives, share, settings.batch_size)
    shares = [each.share for each in material.further]
    num_further = sampling.num_further(num_own, shares, settings.batch_size)
    for each, num in zip(material.further, num_further, strict=True):
        if not num:
            raise ValueError(
                f"a share of {each.share:g} of an epoch is no example of {each.records}; "
                "give it more, or leave these records out"
            )
    return (num_own + sum(num_further)) // settings.batch_size


def validation(records: Path, fold: int, size_px: int, batch_size: int) -> tf.data.Dataset:
    """The labelled examples of a fold as (images, masks, truth), in the records' order.

    Images and masks are those of training, unaugmented and hard. `truth` holds the features of
    `TRUTH`, N values each, the runs ragged: the mask at its own size, and the image's. Raises
    ValueError where the records lack the fold, or it has no labelled examples.
    """
    shards = select(manifests.read(records), [fold], LABELLED, records)

    def load(example: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        image, mask = _image(example, size_px), _hard(example, size_px)
        return image, mask, {name: example[name] for name in TRUTH}

    loaded = examples.read(records, shards).map(
        load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return _counted(loaded.ragged_batch(batch_size), shards, batch_size)


def prediction(records: Path, fold: int, size_px: int, batch_size: int) -> tf.data.Dataset:
    """All examples of a fold, -1 the test share, as batches of features with their images.

    `images` is float32 N x S x S x 1 in [0, 255]; beside it stand the features of `PASSED_ON`,
    N values each, the mask's runs ragged. Raises ValueError where the records lack the fold.
    """
    shards = select(manifests.read(records), [fold], KINDS, records)

    def load(example: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {"images": _image(example, size_px), **{name: example[name] for name in PASSED_ON}}

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
            augment, [image, mask, epoch, image_id], [tf.uint8, mask.dtype], stateful=False
        )
        return tf.ensure_shape(both[0], image.shape), tf.ensure_shape(both[1], mask.shape)

    return augmented


def _image(example: dict[str, tf.Tensor], size_px: int) -> tf.Tensor:
    """An example's image, uint8 S x S x 1."""
    decoded = schema.decode_image(example["image"], example["image_format"])
    return examples.resize(decoded, size_px)


def _hard(example: dict[str, tf.Tensor], size_px: int) -> tf.Tensor:
    """An example's mask, uint8 S x S x 1 of 0 and 1."""
    # Most masks are empty, and drawing one takes as long as decoding its image.
    return tf.cond(
        tf.size(example["mask_starts"]) > 0,
        lambda: examples.resize(
            schema.decode_mask(example), size_px, (example["rows"], example["columns"])
        ),
        lambda: tf.zeros([size_px, size_px, 1], tf.uint8),
    )


def _soft(example: dict[str, tf.Tensor], size_px: int) -> tf.Tensor:
    """An example's soft mask, else its mask: float32 S x S x 1 in [0, 1]."""

    def probabilities() -> tf.Tensor:
        shape = example["rows"], example["columns"]
        grey = examples.resize(schema.decode_soft_mask(example), size_px, shape)
        return tf.cast(grey, tf.float32) / 255

    return tf.cond(
        schema.has_soft_mask(example),
        probabilities,
        lambda: tf.cast(_hard(example, size_px), tf.float32),
    )


def _counted(batches: tf.data.Dataset, shards: list[Shard], batch_size: int) -> tf.data.Dataset:
    """Batches of known number: Keras warns of a data set that just ends."""
    num_batches = ceil(sum(shard.examples for shard in shards) / batch_size)
    counted = batches.apply(tf.data.experimental.assert_cardinality(num_batches))
    return counted.prefetch(tf.data.AUTOTUNE)


def _drawn(material: Material, study: Study, stage: str, epoch: int) -> list[Place]:
    """The places of an epoch's examples in their order."""
    settings = study.plan(stage)
    share = _positive_share(settings, epoch)
    own, others = material.places, [each.places for each in material.beside]
    size = settings.batch_size
    drawn = sampling.draw(*_numbers(own), share, size, study.seed, epoch)
    if not others:
        return [own[number] for number in drawn]
    sizes = sampling.num_further(len(drawn), [each.share for each in material.further], size)
    places = [own[number] for number in drawn]
    for position, (more, num) in enumerate(zip(others, sizes, strict=True)):
        numbers = sampling.draw_further(*_numbers(more), share, num, [study.seed, epoch, position])
        places += [more[number] for number in numbers]
    return [places[number] for number in sampling.order(len(places), study.seed, epoch)]


def _numbers(places: list[Place]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of the positive and of the negative examples."""
    is_positive = np.array([place.kind == "positive" for place in places])
    return np.flatnonzero(is_positive), np.flatnonzero(~is_positive)


def _positive_share(settings: Stage, epoch: int) -> float:
    line = settings.positive_share
    return schedules.line(epoch, settings.epochs, line.start, line.end)
