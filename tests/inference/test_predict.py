import cv2
import numpy as np
import pytest
import tensorflow as tf

from tests import unfitted_run
from tests.unfitted_run import SIZE_PX
from tfptx import runs
from tfptx.inference import load, predict
from tfptx.inference.networks import Manner
from tfptx.operating_point import counts, maps, rule
from tfptx.pipeline import batches, examples
from tfptx.records import manifest
from tfptx.scans import annotations, sources
from tfptx.scans.folds import TEST
from tfptx.scans.scan import pixels


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    _, made = unfitted_run.write_records(folder, count=12, test_share=0.25)
    unfitted_run.write_run(folder / "run", made.fingerprint)
    return folder


@pytest.fixture(scope="module")
def fold1(work):
    """The maps of fold 1, and the shares of the work as they were told."""
    shares = []
    chosen = [work / "run"], work / "records", 1, work / "fold1", Manner()
    return predict.predict_maps(*chosen, shares.append, batch_size=3), shares


def predict_from(work, out, fold=0, **options):
    options = {"runs": [work / "run"], "records": work / "records", **options}
    manner = Manner(**options.pop("manner", {}))
    chosen = options.pop("runs"), options.pop("records"), fold, out, manner
    return predict.predict_maps(*chosen, lambda share: None, **options)


def bilinear(probability, rows, columns):
    """Half-pixel bilinear resizing by hand, in float64, of the part that the image takes."""

    def axis(size):
        content = round(SIZE_PX * size / max(rows, columns))
        at = np.clip((np.arange(size) + 0.5) * content / size - 0.5, 0, content - 1)
        low = np.minimum(at.astype(int), content - 2)
        weights = np.zeros((size, SIZE_PX))
        weights[np.arange(size), low] = 1 - (at - low)
        weights[np.arange(size), low + 1] = at - low
        return weights

    return axis(rows) @ probability @ axis(columns).T


def test_a_folds_maps_are_its_own_networks_at_the_annotations_size(work, fold1):
    written, shares = fold1
    table = manifest.read_examples(work / "records")
    assert list(written.index["image_id"]) == list(table["image_id"][table["fold"] == 1])
    assert sum(shares) == pytest.approx(1)
    annotated = annotations.read(work / "train.csv")
    paths = {path.stem: path for path in sources.find(work / "images")}
    network = load.network(runs.finished(work / "run", 1))
    for position, row in enumerate(written.index.itertuples()):
        image = pixels(sources.read(paths[row.image_id]))
        resized = examples.resize_image(image[..., np.newaxis], SIZE_PX)[tf.newaxis]
        logits = network(resized, training=False).numpy()[0, ..., 0].astype(np.float64)
        expected = bilinear(1 / (1 + np.exp(-logits)), *image.shape)
        levels = written.levels(position)
        assert levels.shape == image.shape
        np.testing.assert_allclose(levels + 0.5, rule.LEVELS * expected, atol=0.6)
        assert 0.05 < (levels > 5000).mean() < 0.95
        np.testing.assert_array_equal(
            written.truth(position), annotated.mask(row.image_id, *image.shape)
        )
    assert written.source | {"environment": None} == {
        "schema": 1,
        "runs": [runs.fingerprint(runs.finished(work / "run", 1))],
        "stage": "2",
        "size_px": SIZE_PX,
        "flip": False,
        "fused": False,
        "overlap": None,
        "counts_only": False,
        "records": manifest.read(work / "records").fingerprint,
        "environment": None,
    }


def test_flips_and_networks_are_averaged_as_probabilities(work, tmp_path):
    written = predict_from(work, tmp_path / "maps", TEST, manner={"flip": True})
    assert set(written.index["fold"]) == {TEST}
    assert len(written.source["runs"]) == 2
    row = written.index.iloc[0]
    image = pixels(sources.read(next((work / "images").glob(f"{row['image_id']}.*"))))
    resized = examples.resize_image(image[..., np.newaxis], SIZE_PX)[tf.newaxis]
    together = []
    for fold in (0, 1):
        network = load.network(runs.finished(work / "run", fold))
        for step in (1, -1):
            logits = network(resized[:, :, ::step], training=False).numpy()[0, :, ::step, 0]
            together.append(1 / (1 + np.exp(-logits.astype(np.float64))))
    expected = bilinear(np.mean(together, axis=0), *image.shape)
    np.testing.assert_allclose(written.levels(0) + 0.5, rule.LEVELS * expected, atol=0.6)


def test_the_test_share_is_predicted_by_the_networks_that_are_named(work, tmp_path):
    written = predict_from(work, tmp_path / "maps", TEST, network_folds=(1,))
    assert set(written.index["fold"]) == {TEST}
    assert written.source["runs"] == [runs.fingerprint(runs.finished(work / "run", 1))]


def test_all_folds_are_predicted_each_by_its_network_at_any_batch_size(work, fold1, tmp_path):
    both, one = predict_from(work, tmp_path / "both", None, batch_size=1), fold1[0]
    assert set(both.index["fold"]) == {0, 1}
    first = len(both) - len(one)
    assert list(both.index["image_id"][first:]) == list(one.index["image_id"])
    for position in range(len(one)):
        np.testing.assert_array_equal(both.levels(first + position), one.levels(position))


def test_unlabelled_unseen_records_have_no_truth_and_all_networks(work, tmp_path):
    records, _ = unfitted_run.write_records(tmp_path, count=4, annotated=False)
    with pytest.raises(ValueError, match=r"fitted on other records.*--unseen"):
        predict_from(work, tmp_path / "maps", None, records=records)
    assert not (tmp_path / "maps").exists()
    written = predict_from(work, tmp_path / "maps", None, records=records, unseen=True)
    assert len(written) == 4
    assert len(written.source["runs"]) == 2
    assert set(written.index["truth_rle"]) == {""}
    with pytest.raises(ValueError, match="no truth"):
        written.truth(0)


def test_previews_are_small_pictures_of_the_image(work, fold1):
    written, _ = fold1
    name = written.index["image_id"].iloc[0]
    preview = cv2.imread(str(written.folder / maps.PREVIEWS / f"{name}.jpg"), cv2.IMREAD_UNCHANGED)
    image = pixels(sources.read(next((work / "images").glob(f"{name}.*"))))
    assert preview.shape == image.shape  # smaller than a preview, so not enlarged
    assert np.abs(preview.astype(int) - image).mean() < 4


@pytest.mark.parametrize(
    ("fold", "options", "message"),
    [
        (7, {}, "records has no fold 7; it has test share, fold 0, fold 1"),
        (0, {"stage": "1"}, "not finished stage 1 of fold 0"),
        (0, {"runs": ["missing"]}, "no run at"),
        (0, {"records": "missing"}, "no records at"),
    ],
)
def test_what_can_not_be_predicted_is_refused_and_leaves_nothing(
    work, tmp_path, fold, options, message
):
    if "runs" in options:
        options = {"runs": [tmp_path / "missing"]}
    if "records" in options:
        options = {"records": tmp_path / "missing"}
    with pytest.raises(ValueError, match=message):
        predict_from(work, tmp_path / "maps", fold, **options)
    assert list(tmp_path.iterdir()) == []


def test_runs_of_two_sizes_or_stages_are_not_averaged(work, tmp_path):
    fingerprint = manifest.read(work / "records").fingerprint
    other = unfitted_run.write_run(tmp_path / "other", fingerprint, folds=[0], size_px=96)
    with pytest.raises(ValueError, match=r"at 64 px, .* at 96 px"):
        predict_from(work, tmp_path / "maps", runs=[work / "run", other])
    earlier = unfitted_run.write_run(tmp_path / "earlier", fingerprint, folds=[0], stage="1")
    with pytest.raises(ValueError, match=r"different stages.*--stage"):
        predict_from(work, tmp_path / "maps", runs=[work / "run", earlier])


def test_weights_of_another_network_are_refused(work, tmp_path):
    run = unfitted_run.write_run(tmp_path / "run", "", folds=[0])
    folder = runs.finished(run, 0)
    text = folder.config_toml.read_text()
    folder.config_toml.write_text(text.replace('"resnet18"', '"resnet34"'))
    with pytest.raises(ValueError, match="holds no weights of a U-Net with resnet34"):
        load.network(folder)


def test_prediction_batches_come_in_the_order_of_the_listed_examples(work):
    table = manifest.read_examples(work / "records")
    for fold in (TEST, 0, 1):
        listed = list(table["image_id"][table["fold"] == fold])
        read = batches.prediction(work / "records", fold, SIZE_PX, 4)
        assert [name.decode() for batch in read for name in batch["image_id"].numpy()] == listed


def test_counts_without_maps_are_those_of_the_maps(work, tmp_path):
    whole = predict_from(work, tmp_path / "maps", 0)
    counted = predict_from(work, tmp_path / "counts", 0, counts_only=True)
    assert not (tmp_path / "counts" / "levels.npy").exists()
    one, other = (counts.of(each, lambda share: None) for each in (whole, counted))
    np.testing.assert_array_equal(one.levels_px, other.levels_px)
