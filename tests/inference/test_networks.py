"""Maps of networks with heads, and of images in windows, against the networks asked by hand."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from tests import unfitted_run
from tests.unfitted_run import SIZE_PX
from tfptx import runs
from tfptx.inference import ensemble, load, predict, windows
from tfptx.inference.networks import Manner
from tfptx.operating_point import rule
from tfptx.operating_point.tables import Point
from tfptx.pipeline import examples
from tfptx.scans import sources
from tfptx.scans.scan import pixels
from tfptx.serving import predictor
from tfptx.serving.export import export

HEADS = ("presence", "distance")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    _, made = unfitted_run.write_records(folder, count=6)
    unfitted_run.write_run(folder / "run", made.fingerprint, heads=HEADS)
    unfitted_run.write_run(folder / "plain", made.fingerprint)
    return folder


def maps_of(work, out, run="run", **manner):
    chosen = [work / run], work / "records", 0, out, Manner(**manner)
    return predict.predict_maps(*chosen, lambda share: None, batch_size=2)


def scans(work, written):
    paths = {path.stem: path for path in sources.find(work / "images")}
    return [pixels(sources.read(paths[image_id])) for image_id in written.index["image_id"]]


def sigmoid(logits):
    return 1 / (1 + np.exp(-np.asarray(logits, np.float64)))


@pytest.mark.parametrize("is_fused", [False, True])
def test_heads_say_a_presence_and_a_distance(is_fused, work, tmp_path):
    written = maps_of(work, tmp_path / "maps", flip=True, is_fused=is_fused)
    assert (written.source["flip"], written.source["fused"]) == (True, is_fused)
    network = load.network(runs.finished(work / "run", 0))
    for position, image in enumerate(scans(work, written)):
        resized = examples.resize_image(image[..., np.newaxis], SIZE_PX)[tf.newaxis]
        together, presences = [], []
        for step in (1, -1):
            said = network(resized[:, :, ::step], training=False)
            probability = sigmoid(said["mask"])[:, :, ::step]
            distance = np.asarray(said["distance"], np.float64)[:, :, ::step]
            fused = (probability + (1 + distance) / 2) / 2
            together.append(fused if is_fused else probability)
            presences.append(sigmoid(said["presence"])[0, 0])
        expected = np.mean(together, axis=0).astype(np.float32)
        of_image = ensemble.of_image(expected, *image.shape)
        at_source = ensemble.at_size(of_image, *image.shape)[0, ..., 0].numpy()
        levels = written.levels(position)
        np.testing.assert_allclose(levels + 0.5, rule.LEVELS * at_source, atol=1)
        assert written.presence[position] == pytest.approx(np.mean(presences), abs=1e-5)


def test_an_image_larger_than_the_network_is_predicted_in_windows(work, tmp_path):
    written = maps_of(work, tmp_path / "maps", "plain", overlap=0.5)
    assert written.source["overlap"] == 0.5
    network = load.network(runs.finished(work / "plain", 0))
    for position, image in enumerate(scans(work, written)):
        assert max(image.shape) > SIZE_PX
        expected = windows.probability(
            lambda images: sigmoid(network(images, training=False)).astype(np.float32),
            image, SIZE_PX, 0.5, 1,
        )  # fmt: skip
        np.testing.assert_allclose(written.levels(position) + 0.5, rule.LEVELS * expected, atol=1)


def test_networks_without_the_head_or_with_others_are_refused(work, tmp_path):
    with pytest.raises(ValueError, match="was fitted without the head distance; fit a study"):
        maps_of(work, tmp_path / "maps", "plain", is_fused=True)
    both = [work / "run", work / "plain"]
    with pytest.raises(ValueError, match=r"the heads \['distance', 'presence'\], .* \[\]; average"):
        predict.predict_maps(
            both, work / "records", 0, tmp_path / "maps", Manner(), lambda share: None
        )
    assert not (tmp_path / "maps").exists()


def test_an_export_decides_by_presence_and_distance_as_the_maps_do(work, tmp_path):
    manner = Manner(is_fused=True)
    chosen = [work / "run"], work / "records", None, tmp_path / "maps", manner
    written = predict.predict_maps(*chosen, lambda share: None, unseen=True)
    least = int(np.sort(rule.levels(written.presence))[len(written) // 2]) / rule.LEVELS
    point = Point(
        threshold=0.5, min_pixels=0, min_presence=least, size_px=1024, stage="2", fused=True,
        runs=tuple(written.source["runs"]),
    )  # fmt: skip
    exported = export([work / "run"], point, tmp_path / "export")
    assert f"below {least} has an empty mask" in (exported / "model_card.md").read_text()
    found = predictor.predict(
        tmp_path / "export", [work / "images"], tmp_path / "out", lambda share: None
    )
    by_id = {finding.image_id: finding for finding in found}
    decisions = set()
    for position, image_id in enumerate(written.index["image_id"]):
        finding = by_id[image_id]
        assert finding.presence == pytest.approx(float(written.presence[position]), abs=1e-5)
        mask = rule.mask_of_levels(written.levels(position), point.rule, written.presence[position])
        assert finding.decision == mask.any()
        assert abs(finding.mask_px - int(mask.sum())) <= 2
        overlay = cv2.imread(str(tmp_path / "out" / "overlays" / f"{image_id}.png"))
        assert overlay.shape[:2] == mask.shape
        decisions.add(bool(mask.any()))
    assert decisions == {False, True}


def test_an_export_refuses_what_it_can_not_do(work, tmp_path):
    plain = {"threshold": 0.5, "min_pixels": 0, "size_px": 1024, "stage": "2"}
    for point, message in (
        (Point(**plain, overlap=0.5), "sliding windows, which a SavedModel does not make"),
        (Point(**plain, fused=True), "fitted without the head distance"),
        (Point(**plain, min_presence=0.1), "fitted without the head presence"),
    ):
        with pytest.raises(ValueError, match=message):
            export([work / "plain"], point, tmp_path / "export", any_point=True)
    assert not (tmp_path / "export").exists()
