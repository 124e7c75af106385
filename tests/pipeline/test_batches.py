import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import REPOSITORY
from tests.pipeline.make_records import COLUMNS, ROWS, build_records
from tfptx import config
from tfptx.pipeline import batches, examples
from tfptx.records import manifest, schema

SIZE_PX = 32
BATCH_SIZE = 4
EPOCHS = 3
NUM_POSITIVES, NUM_NEGATIVES = 15, 45


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    return build_records(folder, NUM_POSITIVES, NUM_NEGATIVES, test_share=0.25)


def study(*overrides):
    return config.read(
        REPOSITORY / "configs" / "resnet34.toml",
        (
            f"stage.1.size_px={SIZE_PX}",
            f"stage.1.batch_size={BATCH_SIZE}",
            f"stage.1.epochs={EPOCHS}",
            *overrides,
        ),
    )


PLAIN = study(*(f"augmentation.{name}=0.0" for name in config.Augmentation.model_fields))


def variable(epoch=0):
    return tf.Variable(epoch, dtype=tf.int64, trainable=False)


def collect(dataset):
    return [(images.numpy(), masks.numpy()) for images, masks in dataset]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for pair, expected_pair in zip(found, expected, strict=True):
        np.testing.assert_array_equal(pair[0], expected_pair[0])
        np.testing.assert_array_equal(pair[1], expected_pair[1])


def resized_images(records, folds, kinds):
    """Image bytes by id, at the network's size."""
    shards = manifest.read(records).select(folds, kinds)
    return {
        example["image_id"].numpy().decode(): examples.resize_image(
            schema.decode_image(example["image"], example["image_format"]), SIZE_PX
        )
        .numpy()
        .tobytes()
        for example in examples.read(records, shards)
    }


def test_shapes_and_ranges(records):
    for dataset in (
        batches.training(records, 0, study(), "1", variable()),
        batches.validation(records, 0, SIZE_PX, BATCH_SIZE),
    ):
        spec = tf.TensorSpec((None, SIZE_PX, SIZE_PX, 1), tf.float32)
        assert dataset.element_spec == (spec, spec)
        for images, masks in collect(dataset):
            assert set(np.unique(masks)) <= {0, 1}
            assert images.min() >= 0
            assert 1 < images.max() <= 255


@pytest.mark.parametrize("epoch", [0, EPOCHS - 1])
def test_an_epoch_holds_the_training_folds_positives_and_its_share_of_negatives(records, epoch):
    found = collect(batches.training(records, 1, PLAIN, "1", variable(epoch)))
    assert len(found) == batches.num_steps(records, 1, PLAIN, "1", epoch)
    assert {len(images) for images, _ in found} == {BATCH_SIZE}
    drawn = [image.tobytes() for images, _ in found for image in images]
    assert len(set(drawn)) == len(drawn)
    positives = set(resized_images(records, [0, 2], ["positive"]).values())
    negatives = set(resized_images(records, [0, 2], ["negative"]).values())
    assert positives <= set(drawn) <= positives | negatives
    line = PLAIN.stage["1"].positive_share
    wanted = len(positives) / (line.end if epoch else line.start)
    assert wanted - 0.5 <= len(drawn) < wanted + BATCH_SIZE
    for images, masks in found:
        for image, mask in zip(images, masks, strict=True):
            assert mask.any() == (image.tobytes() in positives)


def test_iterations_follow_the_variable_and_repeat_themselves(records):
    epoch = variable()
    dataset = batches.training(records, 0, study(), "1", epoch)
    of_epoch = {}
    for number in (0, 1, 4):
        epoch.assign(number)
        of_epoch[number] = collect(dataset)
    assert not np.array_equal(of_epoch[0][0][0], of_epoch[1][0][0])
    for number in (4, 0):
        epoch.assign(number)
        assert_same(collect(dataset), of_epoch[number])
        again = batches.training(records, 0, study(), "1", variable(number))
        assert_same(collect(again), of_epoch[number])


def test_nothing_is_traced_after_the_first_iteration(records, monkeypatch):
    traces = []
    resize_image = examples.resize_image

    def counted(image, size_px):
        traces.append(image)
        return resize_image(image, size_px)

    monkeypatch.setattr(examples, "resize_image", counted)
    epoch = variable()
    dataset = batches.training(records, 0, study(), "1", epoch)
    num_traces = len(traces)
    assert num_traces > 0
    for number in range(EPOCHS):
        epoch.assign(number)
        collect(dataset)
    assert len(traces) == num_traces


def test_no_function_is_stateful(records):
    """TensorFlow's deterministic mode runs a pipeline with a stateful one item by item."""
    dataset = batches.training(records, 0, study(), "1", variable())
    serialised = tf.raw_ops.DatasetToGraphV2(input_dataset=tf.data.experimental.to_variant(dataset))
    library = tf.compat.v1.GraphDef.FromString(serialised.numpy()).library
    found = {node.op for function in library.function for node in function.node_def}
    assert "PyFuncStateless" in found
    assert not found & {"PyFunc", "EagerPyFunc", "ReadVariableOp", "DatasetToSingleElement"}


def test_seed_and_fold_change_the_batches(records):
    first = [
        collect(batches.training(records, fold, changed, "1", variable()))[0][0]
        for fold, changed in [(0, study()), (0, study("seed=1")), (1, study())]
    ]
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], first[2])


class Recorder(keras.callbacks.Callback):
    """Assigns the epoch, and keeps what the network saw of each."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch, self.sums = epoch, {}

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch.assign(epoch)
        self.sums[epoch] = []

    def loss(self, truth, logits):
        now = int(self.epoch.numpy())
        self.sums[now].append((float(tf.reduce_sum(logits)), float(tf.reduce_sum(truth))))
        return tf.reduce_mean(logits)


def recorded(epoch):
    """A network that gives its images back and never changes, and what notes them."""
    network = keras.Sequential(
        [
            keras.Input((SIZE_PX, SIZE_PX, 1)),
            keras.layers.Conv2D(1, 1, kernel_initializer="ones"),
        ]
    )
    recorder = Recorder(epoch)
    network.compile(keras.optimizers.SGD(0.0), recorder.loss, run_eagerly=True)
    return network, recorder


def assert_saw_each_epoch(recorder, records, fitted):
    assert list(recorder.sums) == list(range(EPOCHS))
    for number, sums in recorder.sums.items():
        alone = collect(batches.training(records, 0, fitted, "1", variable(number)))
        expected = [(images.sum(), masks.sum()) for images, masks in alone]
        np.testing.assert_allclose(sums, expected, rtol=1e-5)


def fit_epoch_by_epoch(records, fitted, num_threads):
    """Keras takes every epoch of one fit to be as long as the first, so each has its own."""
    epoch = variable(99)
    options = tf.data.Options()
    options.threading.private_threadpool_size = num_threads
    dataset = batches.training(records, 0, fitted, "1", epoch).with_options(options)
    network, recorder = recorded(epoch)
    for number in range(EPOCHS):
        steps = batches.num_steps(records, 0, fitted, "1", number)
        network.fit(
            dataset.apply(tf.data.experimental.assert_cardinality(steps)),
            initial_epoch=number,
            epochs=number + 1,
            shuffle=False,
            verbose=0,
            callbacks=[recorder],
        )
    return recorder


LONGER_AND_LONGER = study("stage.1.positive_share={start=0.8,end=0.4}")


def test_fits_see_each_epoch_whole_and_alike_for_any_number_of_threads(records):
    one, four = (fit_epoch_by_epoch(records, LONGER_AND_LONGER, threads) for threads in (1, 4))
    assert one.sums == four.sums
    assert len(one.sums[0]) < len(one.sums[EPOCHS - 1])
    assert_saw_each_epoch(one, records, LONGER_AND_LONGER)


def test_one_fit_sees_each_epoch_as_it_begins(records):
    """Where all epochs are equally long; nothing is read ahead from one into the next."""
    fitted = study("stage.1.positive_share={start=0.5,end=0.5}")
    epoch = variable(99)
    steps = batches.num_steps(records, 0, fitted, "1", 0)
    dataset = batches.training(records, 0, fitted, "1", epoch)
    network, recorder = recorded(epoch)
    network.fit(
        dataset.apply(tf.data.experimental.assert_cardinality(steps)),
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
        callbacks=[recorder],
    )
    assert_saw_each_epoch(recorder, records, fitted)


def test_validation_holds_the_fold_once_in_the_records_order(records):
    dataset = batches.validation(records, 2, SIZE_PX, 5)
    expected = list(resized_images(records, [2], ["positive", "negative"]).values())
    found = [image.tobytes() for images, _ in collect(dataset) for image in images]
    assert found == expected
    assert dataset.cardinality() == len(collect(dataset)) == -(-len(expected) // 5)


def test_prediction_passes_features_on(records):
    dataset = batches.prediction(records, -1, SIZE_PX, 4)
    table = manifest.read_examples(records)
    test_share = table[table["fold"] == -1].set_index("image_id")
    seen = []
    for batch in dataset:
        assert batch["images"].shape[1:] == (SIZE_PX, SIZE_PX, 1)
        for index, content in enumerate(batch["image_id"].numpy()):
            row = test_share.loc[content.decode()]
            seen.append(content.decode())
            runs = batch["mask_lengths"][index].numpy()
            assert runs.sum() == row["mask_px"]
            assert len(batch["mask_starts"][index]) == len(runs)
            assert (batch["mask_rows"][index], batch["mask_columns"][index]) == (ROWS, COLUMNS)
            assert batch["labelled"][index] == 1
            image = schema.decode_image(batch["image"][index], batch["image_format"][index])
            np.testing.assert_array_equal(
                examples.resize_image(image, SIZE_PX), batch["images"][index]
            )
    assert sorted(seen) == sorted(test_share.index)
    assert dataset.cardinality() == len(list(dataset))


def test_unlabelled_examples_are_predicted_but_not_trained_on(tmp_path):
    records = build_records(tmp_path, 2, 7, annotated=False)
    (batch,) = batches.prediction(records, 0, SIZE_PX, 9)
    assert not batch["labelled"].numpy().any()
    assert batch["mask_starts"].shape[0] == len(batch["images"]) == 3
    for refused in (
        lambda: batches.validation(records, 0, SIZE_PX, 4),
        lambda: batches.training(records, 0, study(), "1", variable()),
        lambda: batches.num_steps(records, 0, study(), "1", 0),
    ):
        with pytest.raises(ValueError, match=r"no labelled example.*--annotations"):
            refused()


def test_no_positives_no_negatives_and_folds_that_are_not_there(records, tmp_path):
    (tmp_path / "negative").mkdir()
    (tmp_path / "positive").mkdir()
    negative = build_records(tmp_path / "negative", 0, 9)
    with pytest.raises(ValueError, match=r"fold 0, fold 2 of .*have no positive.*fewer --folds"):
        batches.training(negative, 1, study(), "1", variable())
    positive = build_records(tmp_path / "positive", 9, 0)
    found = collect(batches.training(positive, 1, study(), "1", variable()))
    assert [len(images) for images, _ in found] == [4, 2]
    for refused in (
        lambda: batches.validation(records, 3, SIZE_PX, 4),
        lambda: batches.prediction(records, 3, SIZE_PX, 4),
        lambda: batches.training(records, 3, study(), "1", variable()),
    ):
        with pytest.raises(ValueError, match=r"no fold 3; it has test share, fold 0, fold 1"):
            refused()
    with pytest.raises(ValueError, match="test share is never trained on"):
        batches.training(records, -1, study(), "1", variable())
