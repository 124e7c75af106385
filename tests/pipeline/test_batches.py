import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import REPOSITORY
from tests.pipeline.make_records import COLUMNS, ROWS, build_records
from tests.pipeline.make_soft_records import KINDS, build_soft_records, grey_of
from tfptx import config
from tfptx.pipeline import augmentation_graph, batches, examples
from tfptx.pipeline.material import Further, Material
from tfptx.records import manifest, schema
from tfptx.training.learner import augmented

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


FAMILIES = ("horizontal_flip", "tone", "distortion", "affine")
PLAIN = study(*(f"augmentation.{name}=0.0" for name in FAMILIES))


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
        example["image_id"].numpy().decode(): examples.resize(
            schema.decode_image(example["image"], example["image_format"]), SIZE_PX
        )
        .numpy()
        .tobytes()
        for example in examples.read(records, shards)
    }


def test_shapes_and_ranges(records):
    for dataset in (
        batches.training(Material(records, 0), study(), "1", 0),
        batches.validation(records, 0, SIZE_PX, BATCH_SIZE).map(
            lambda images, masks, _: (images, masks)
        ),
    ):
        spec = tf.TensorSpec((None, SIZE_PX, SIZE_PX, 1), tf.uint8)
        assert dataset.element_spec == (spec, spec)
        for images, masks in collect(dataset):
            assert set(np.unique(masks)) <= {0, 1}
            assert images.min() >= 0
            assert 1 < images.max() <= 255


@pytest.mark.parametrize("epoch", [0, EPOCHS - 1])
def test_an_epoch_holds_the_training_folds_positives_and_its_share_of_negatives(records, epoch):
    found = collect(batches.training(Material(records, 1), PLAIN, "1", epoch))
    assert len(found) == batches.num_steps(Material(records, 1), PLAIN, "1", epoch)
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


def test_an_epoch_repeats_itself_and_no_other(records):
    of_epoch = [
        collect(batches.training(Material(records, 0), study(), "1", epoch))
        for epoch in range(EPOCHS)
    ]
    for one, other in itertools.combinations(of_epoch, 2):
        assert not np.array_equal(one[0][0], other[0][0])
    again = batches.training(Material(records, 0), study(), "1", EPOCHS - 1)
    assert_same(collect(again), of_epoch[-1])
    assert_same(collect(again), of_epoch[-1])


def test_batches_are_alike_for_any_number_of_threads(records):
    found = []
    for num_threads in (1, 4):
        options = tf.data.Options()
        options.threading.private_threadpool_size = num_threads
        dataset = batches.training(Material(records, 0), study(), "1", 1)
        found.append(collect(dataset.with_options(options)))
    assert_same(*found)


def test_no_function_is_stateful(records):
    """TensorFlow's deterministic mode runs a pipeline with a stateful one item by item."""
    dataset = batches.training(Material(records, 0), study(), "1", 0)
    serialised = tf.raw_ops.DatasetToGraphV2(input_dataset=tf.data.experimental.to_variant(dataset))
    library = tf.compat.v1.GraphDef.FromString(serialised.numpy()).library
    found = {node.op for function in library.function for node in function.node_def}
    assert "PyFuncStateless" in found
    assert not found & {"PyFunc", "EagerPyFunc", "ReadVariableOp", "DatasetToSingleElement"}


def test_seed_and_fold_change_the_batches(records):
    first = [
        collect(batches.training(Material(records, fold), changed, "1", 0))[0][0]
        for fold, changed in [(0, study()), (0, study("seed=1")), (1, study())]
    ]
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], first[2])


def test_a_fit_takes_each_epoch_whole_and_traces_its_step_once(records):
    fitted = study("stage.1.positive_share={start=0.8,end=0.4}")
    traces, sums = [], []

    def loss(truth, logits):
        traces.append(truth)
        return tf.reduce_mean(logits)

    class Sums(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            sums.append(batch)

    network = keras.Sequential([keras.Input((SIZE_PX, SIZE_PX, 1)), keras.layers.Conv2D(1, 1)])
    network.compile("sgd", loss)
    for epoch in range(EPOCHS):
        network.fit(
            batches.training(Material(records, 0), fitted, "1", epoch),
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
            callbacks=[Sums()],
        )
        if epoch == 0:
            num_traces = len(traces)
    steps = [batches.num_steps(Material(records, 0), fitted, "1", epoch) for epoch in range(EPOCHS)]
    assert steps[0] < steps[-1]
    assert len(sums) == sum(steps)
    assert len(traces) == num_traces


def test_validation_holds_the_fold_once_in_the_records_order(records):
    dataset = batches.validation(records, 2, SIZE_PX, 5)
    expected = list(resized_images(records, [2], ["positive", "negative"]).values())
    found = [image.tobytes() for images, *_ in dataset for image in images.numpy()]
    assert found == expected
    assert dataset.cardinality() == len(list(dataset)) == -(-len(expected) // 5)


def test_validation_gives_the_truth_at_its_own_size(records):
    table = manifest.read_examples(records)
    mask_px = iter(table[table["fold"] == 2]["mask_px"])
    for _, masks, truth in batches.validation(records, 2, SIZE_PX, 5):
        assert set(truth["mask_rows"].numpy()) == {ROWS}
        assert set(truth["mask_columns"].numpy()) == {COLUMNS}
        for mask, starts, lengths in zip(
            masks, truth["mask_starts"], truth["mask_lengths"], strict=True
        ):
            assert len(starts) == len(lengths)
            assert int(tf.reduce_sum(lengths)) == next(mask_px)
            assert bool(tf.reduce_any(mask > 0)) == (len(starts) > 0)


def test_an_epoch_goes_on_from_any_batch(records):
    whole = collect(batches.training(Material(records, 0), study(), "1", 1))
    for first_batch in (1, len(whole) - 1):
        rest = collect(batches.training(Material(records, 0), study(), "1", 1, first_batch))
        assert_same(rest, whole[first_batch:])


def test_processes_share_each_batch(records):
    material = Material(records, 0)
    whole = collect(batches.training(material, study(), "1", 1, 1))
    parts = [collect(batches.training(material, study(), "1", 1, 1, (i, 2))) for i in range(2)]
    both = [
        tuple(np.concatenate(each) for each in zip(*shares, strict=True))
        for shares in zip(*parts, strict=True)
    ]
    assert_same(both, whole)


def test_the_graph_engine_gives_plain_images_and_their_draws(records):
    graph = study('augmentation.engine="graph"')
    plain = collect(batches.training(Material(records, 1), PLAIN, "1", 1))
    found = [
        tuple(part.numpy() for part in batch)
        for batch in batches.training(Material(records, 1), graph, "1", 1)
    ]
    assert_same([batch[:2] for batch in found], plain)
    for batch in (0, len(found) - 1):
        draws = [
            augmentation_graph.draw(graph.augmentation, graph.seed, 1, each.encode(), SIZE_PX)
            for each in batches.image_ids(Material(records, 1), graph, "1", 1, batch)
        ]
        np.testing.assert_array_equal(found[batch][2], draws)


def test_the_images_of_a_batch_have_names(records):
    of_id = resized_images(records, [0, 1, 2], ["positive", "negative"])
    whole = collect(batches.training(Material(records, 1), PLAIN, "1", 1))
    for batch in (0, len(whole) - 1):
        ids = batches.image_ids(Material(records, 1), PLAIN, "1", 1, batch)
        assert [of_id[each] for each in ids] == [image.tobytes() for image in whole[batch][0]]


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
        lambda: batches.training(Material(records, 0), study(), "1", 0),
        lambda: batches.num_steps(Material(records, 0), study(), "1", 0),
    ):
        with pytest.raises(ValueError, match=r"no labelled example.*--annotations"):
            refused()


def test_no_positives_no_negatives_and_folds_that_are_not_there(records, tmp_path):
    (tmp_path / "negative").mkdir()
    (tmp_path / "positive").mkdir()
    negative = build_records(tmp_path / "negative", 0, 9)
    with pytest.raises(ValueError, match=r"fold 0, fold 2 of .*have no positive.*fewer --folds"):
        batches.training(Material(negative, 1), study(), "1", 0)
    positive = build_records(tmp_path / "positive", 9, 0)
    found = collect(batches.training(Material(positive, 1), study(), "1", 0))
    # There is no negative to fill the last batch up with; so positives are drawn again.
    assert [len(images) for images, _ in found] == [4, 4]
    for refused in (
        lambda: batches.validation(records, 3, SIZE_PX, 4),
        lambda: batches.prediction(records, 3, SIZE_PX, 4),
        lambda: batches.training(Material(records, 3), study(), "1", 0),
    ):
        with pytest.raises(ValueError, match=r"no fold 3; it has test share, fold 0, fold 1"):
            refused()
    with pytest.raises(ValueError, match="test share is never trained on"):
        batches.training(Material(records, -1), study(), "1", 0)


NUM_SOFT = 24


@pytest.fixture(scope="module")
def soft_records(tmp_path_factory):
    return build_soft_records(tmp_path_factory.mktemp("soft"), NUM_SOFT)


def soft_truth(image_id):
    """The truth of an image of `soft_records`, hard where its mask is black and white."""
    grey = grey_of(int(image_id.removeprefix("soft")))[..., np.newaxis]
    if set(np.unique(grey)) <= {0, 255}:
        return examples.resize(grey // 255, SIZE_PX).numpy().astype(np.float32)
    return examples.resize(grey, SIZE_PX).numpy() / np.float32(255)


def by_id(material, changed):
    """Image and mask of each example of an epoch that is not augmented."""
    found = {}
    for batch, (images, masks) in enumerate(collect(batches.training(material, changed, "1", 0))):
        ids = batches.image_ids(material, changed, "1", 0, batch)
        found |= dict(zip(ids, zip(images, masks, strict=True), strict=True))
    return found


def test_a_soft_mask_is_the_truth_of_training(soft_records):
    found = by_id(Material(soft_records, 0), PLAIN)
    assert len(found) >= NUM_SOFT / 2
    for image_id, (_, mask) in found.items():
        assert mask.dtype == np.float32
        np.testing.assert_array_equal(mask, soft_truth(image_id))
    between = [image_id for image_id, (_, mask) in found.items() if (mask % 1 > 0).any()]
    assert {KINDS[int(each.removeprefix("soft")) % 4] for each in between} == {"soft", "faint"}


def test_hard_masks_beside_soft_ones_are_as_without_them(records, soft_records):
    alone = by_id(Material(records, 1), PLAIN)
    both = by_id(Material(records, 1, (Further(soft_records, 0.4),)), PLAIN)
    assert sum(image_id.startswith("soft") for image_id in both) > 0
    assert {each for each, (_, mask) in alone.items() if mask.any()} <= set(both)
    for image_id, (image, mask) in both.items():
        assert mask.dtype == np.float32
        if image_id.startswith("soft"):
            np.testing.assert_array_equal(mask, soft_truth(image_id))
        elif image_id in alone:
            np.testing.assert_array_equal(image, alone[image_id][0])
            np.testing.assert_array_equal(mask, alone[image_id][1])


@pytest.mark.parametrize("engine", ["albumentations", "graph"])
def test_soft_masks_are_augmented_within_0_and_1(soft_records, engine):
    changed = study(f'augmentation.engine="{engine}"', "augmentation.affine=1.0")
    dataset = batches.training(Material(soft_records, 0), changed, "1", 0)
    values = np.concatenate([np.asarray(augmented(batch)[1]).ravel() for batch in dataset])
    assert values.dtype == np.float32
    assert values.min() == 0
    assert values.max() == 1
    assert ((values > 0.1) & (values < 0.9)).mean() > 0.2


def test_sampling_and_validation_take_the_hard_masks(soft_records):
    material = Material(soft_records, 0)
    drawn = {
        image_id
        for batch in range(batches.num_steps(material, PLAIN, "1", 0))
        for image_id in batches.image_ids(material, PLAIN, "1", 0, batch)
    }
    table = manifest.read_examples(soft_records)
    in_training = table[table["fold"] != 0]
    assert set(in_training["image_id"][in_training["positive"] == 1]) <= drawn
    wanted = iter(table[table["fold"] == 0]["image_id"])
    for _, masks, truth in batches.validation(soft_records, 0, SIZE_PX, BATCH_SIZE):
        assert masks.dtype == tf.uint8
        assert "mask_soft" not in truth
        for mask in masks.numpy():
            hard = (grey_of(int(next(wanted).removeprefix("soft"))) >= 128).astype(np.uint8)
            np.testing.assert_array_equal(mask, examples.resize(hard[..., None], SIZE_PX))
