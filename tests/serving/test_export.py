import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tests import unfitted_run
from tests.serving.c_saved_model import CSavedModel
from tests.unfitted_run import SIZE_PX
from tfptx import runs
from tfptx.inference import load, predict
from tfptx.inference.networks import Manner
from tfptx.operating_point import maps, rule, tables
from tfptx.operating_point.tables import Point
from tfptx.records import manifest
from tfptx.scans import sources
from tfptx.serving import export, graph_rule, layout, models, warmup

THRESHOLD = 0.55


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Test-share maps with flips of two networks, and the export of these at a point of theirs."""
    folder = tmp_path_factory.mktemp("work")
    _, made = unfitted_run.write_records(folder, count=12, test_share=0.5)
    run = unfitted_run.write_run(folder / "run", made.fingerprint)
    written = predict.predict_maps(
        [run], folder / "records", -1, folder / "maps", Manner(flip=True), lambda share: None
    )
    # Masks of half of the images are then large enough.
    level = rule.level_of(THRESHOLD)
    areas = [(written.levels(place) >= level).mean() for place in range(len(written))]
    point = Point(
        threshold=THRESHOLD,
        min_pixels=round(np.median(areas) * 1024**2),
        size_px=1024,
        runs=tuple(written.source["runs"]),
        stage="2",
        flip=True,
        mean_dice=0.8123,
        positive_dice=0.5,
        all_empty_dice=0.7785,
        num_images=6,
    )
    export.export([run], point, folder / "export")
    tables.write_point(folder / "point.json", point)
    return folder


@pytest.fixture(scope="module")
def serve(work):
    model = tf.saved_model.load(str(work / "export" / "1"))
    yield model.signatures[layout.SIGNATURE]
    del model  # which kept the signature's variables alive


def contents_of(work, index):
    paths = {path.stem: path for path in sources.find(work / "images")}
    return [sources.read(paths[name]).image for name in index["image_id"]]


def mask_of(png):
    mask = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(mask)) <= {0, 255}
    return mask > 0


def test_masks_are_the_rules_of_the_maps_on_disk_bit_for_bit(work, serve):
    written = maps.read(work / "maps")
    pair = tables.read_point(work / "point.json").rule
    answer = serve(tf.constant(contents_of(work, written.index)))
    found = []
    for position in range(len(written)):
        levels = written.levels(position)
        expected = rule.mask_of_levels(levels, pair)
        np.testing.assert_array_equal(mask_of(answer["mask_png_bytes"][position].numpy()), expected)
        assert answer["pixel_count"][position] == expected.sum()
        assert answer["decision"][position] == expected.any()
        score = answer["image_score"][position].numpy()
        assert rule.levels(score[np.newaxis])[0] == levels.max()
        found.append(expected.any())
    assert {*zip(written.rows, written.columns, strict=True)} == {*unfitted_run.SHAPES}
    assert set(found) == {True, False}
    assert set(answer["error"].numpy()) == {b""}


def test_a_bad_image_leaves_its_batch_as_it_is(work, serve):
    contents = contents_of(work, maps.read(work / "maps").index)[:2]
    alone = serve(tf.constant(contents))
    mixed = serve(tf.constant([contents[0], b"no picture", contents[1]]))
    for name, values in mixed.items():
        np.testing.assert_array_equal(values.numpy()[[0, 2]], alone[name])
    assert mixed["error"][1] == b"neither PNG nor JPEG by its first bytes"
    assert mixed["mask_png_bytes"][1] == b""
    assert not mixed["decision"][1]
    for name in ("pixel_count", "image_score", "probability"):
        assert not mixed[name][1].numpy().any()
    assert mixed["probability"].shape == (3, SIZE_PX, SIZE_PX, 1)


def test_all_bad_and_none_at_all_are_answered(serve):
    assert not serve(tf.constant([b"", b""]))["decision"].numpy().any()
    answer = serve(tf.constant([], tf.string))
    assert {name: tuple(values.shape) for name, values in answer.items()} == {
        "mask_png_bytes": (0,),
        "probability": (0, SIZE_PX, SIZE_PX, 1),
        "pixel_count": (0,),
        "decision": (0,),
        "image_score": (0,),
        "error": (0,),
        "fingerprint": (0,),
    }


def test_a_process_with_tensorflow_alone_gets_the_same(work, serve):
    contents = contents_of(work, maps.read(work / "maps").index)
    content = contents[int(np.argmax(serve(tf.constant(contents))["pixel_count"]))]
    (work / "alone").write_bytes(content)
    code = (
        "import sys; sys.modules['keras'] = None  # so that no import of it succeeds\n"
        "import tensorflow as tf\n"
        f"model = tf.saved_model.load({str(work / 'export' / '1')!r})\n"
        f"content = open({str(work / 'alone')!r}, 'rb').read()\n"
        "answer = model.signatures['serving_default'](tf.constant([content]))\n"
        "print(answer['pixel_count'][0].numpy(), 'tfptx' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=work, capture_output=True, text=True, check=True
    )
    expected = serve(tf.constant([content]))["pixel_count"][0].numpy()
    assert done.stdout.split() == [str(expected), "False"]


def test_the_c_loader_answers_the_same_to_the_bit(work, serve):
    """By TensorFlow's C API, whose loader is that of TensorFlow Serving."""
    contents = [*contents_of(work, maps.read(work / "maps").index), b"no picture"]
    expected = serve(tf.constant(contents))
    model = CSavedModel(work / "export" / "1")
    for name, left_out in ((layout.SIGNATURE, set()), (layout.MASKS, {"probability"})):
        answer = model.run(name, {layout.INPUT: contents})
        assert set(answer) == set(expected) - left_out
        for key, values in answer.items():
            np.testing.assert_array_equal(values, expected[key])
        nothing = model.run(name, {layout.INPUT: []})
        assert {key: values.shape[1:] for key, values in nothing.items()} == {
            key: values.shape[1:] for key, values in answer.items()
        }
        assert {len(values) for values in nothing.values()} == {0}


def test_networks_of_two_backbones_are_averaged_in_one_graph(work, tmp_path):
    fingerprint = manifest.read(work / "records").fingerprint
    runs_of_both = [
        unfitted_run.write_run(tmp_path / encoder, fingerprint, folds=[0], encoder=encoder)
        for encoder in ("resnet18", "efficientnetb0")
    ]
    written = predict.predict_maps(
        runs_of_both, work / "records", -1, tmp_path / "maps", Manner(), lambda share: None
    )
    point = Point(
        threshold=0.5, min_pixels=0, size_px=1024, runs=tuple(written.source["runs"]), stage="2"
    )
    version = export.export(runs_of_both, point, tmp_path / "export")
    answers = models.open_model(version)(contents_of(work, written.index))
    for position, answer in enumerate(answers):
        expected = rule.mask_of_levels(written.levels(position), point.rule)
        assert expected.any()
        np.testing.assert_array_equal(mask_of(answer.mask_png), expected)


def test_each_weight_is_stored_once(work):
    """Of two networks: what their weights take as float32, and less than a hundredth more."""
    counts = [sum(each.size for each in load.network(folder).get_weights()) for folder in (
        runs.finished(work / "run", 0), runs.finished(work / "run", 1)
    )]  # fmt: skip
    (stored,) = (work / "export" / "1" / "variables").glob("*.data-*")
    assert 1 <= stored.stat().st_size / (4 * sum(counts)) < 1.01


def test_the_signatures_say_what_they_are_for(work):
    content = (work / "export" / "1" / "saved_model.pb").read_bytes()
    (graph,) = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    methods = {name: each.method_name for name, each in graph.signature_def.items()}
    del methods["__saved_model_init_op"]
    predict, classify = "tensorflow/serving/predict", "tensorflow/serving/classify"
    names = (layout.SIGNATURE, layout.MASKS, layout.WITH_POINT, layout.IMAGES)
    assert methods == {layout.SCORE: classify, **dict.fromkeys(names, predict)}
    defaults = graph.signature_def[layout.WITH_POINT].defaults
    assert {name: tf.make_ndarray(each).tolist() for name, each in defaults.items()} == {
        name: [graph_rule.EXPORTED] for name in graph_rule.Numbers._fields
    }


def test_what_a_server_needs_stands_beside_the_versions(work):
    asked = [log.WhichOneof("log_type") for log in warmup.read(work / "export" / "1")]
    assert asked == ["predict_log"] * 4 + ["classify_log"]
    serving = work / "export" / "serving"
    expected = json.loads((serving / "expected.json").read_text())
    (answer,) = models.open_model(work / "export")([(serving / "radiograph.png").read_bytes()])
    assert expected["decision"] == answer.decision
    assert expected["pixel_count"] == answer.pixel_count
    assert answer.error == ""


def test_the_point_and_a_card_stand_beside_the_graph(work):
    version = work / "export" / "1"
    assert (version / layout.POINT).read_bytes() == (work / "point.json").read_bytes()
    card = (version / layout.CARD).read_text()
    for text in ("resnet18", "0.55", "0.8123", "0.7785", "these networks", "mirror"):
        assert text in card
    assert "OTHER" not in card


def test_versions_count_up_and_the_latest_is_found(work, tmp_path):
    for name in ("1", "9", "10", "notes", ".writing-12"):
        (tmp_path / name).mkdir()
        (tmp_path / name / layout.SAVED_MODEL).touch()
    assert layout.find(tmp_path) == tmp_path / "10"
    assert layout.find(tmp_path / "9") == tmp_path / "9"
    assert layout.following(tmp_path) == tmp_path / "11"
    assert layout.following(tmp_path / "new") == tmp_path / "new" / "1"
    with pytest.raises(ValueError, match="no export at"):
        layout.find(tmp_path / "missing")


def test_a_point_of_other_networks_is_refused_unless_told(work, tmp_path):
    point = tables.read_point(work / "point.json")
    other = point.model_copy(update={"runs": point.runs[:1], "flip": False})
    with pytest.raises(ValueError, match=r"not chosen on maps of just the 2 networks.*--any-point"):
        export.export([work / "run"], other, tmp_path / "export")
    assert not (tmp_path / "export").exists()
    run = tmp_path / "run"
    unfitted_run.write_run(run, manifest.read(work / "records").fingerprint, folds=[0], seed=5)
    version = export.export([run], other, tmp_path / "export", any_point=True)
    assert "OTHER networks" in (version / layout.CARD).read_text()
    assert "mirror" not in (version / layout.CARD).read_text()


def test_a_stage_that_has_not_finished_is_refused(work, tmp_path):
    point = tables.read_point(work / "point.json").model_copy(update={"stage": "1"})
    with pytest.raises(ValueError, match="not finished stage 1 of fold 0"):
        export.export([work / "run"], point, tmp_path / "export")
    assert not list(tmp_path.iterdir())
