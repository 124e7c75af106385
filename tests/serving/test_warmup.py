import tensorflow as tf

from tests.serving import bright_network
from tests.serving.c_saved_model import CSavedModel
from tfptx.scans.codec import to_png
from tfptx.serving import layout, warmup

BATCH_SIZES = (1, 3)


def test_every_signature_is_asked_once_and_answers_well(bright_export, tmp_path):
    """As a server does it: the requests of the file, in TensorFlow's C++ loader."""
    warmup.write(tmp_path, to_png(bright_network.image()), BATCH_SIZES)
    model = CSavedModel(bright_export / "3")
    asked = []
    for log in warmup.read(tmp_path):
        kind = log.WhichOneof("log_type")
        request = getattr(log, kind).request
        signature = request.model_spec.signature_name
        if kind == "classify_log":
            examples = request.input.example_list.examples
            answer = model.run(
                signature, {"inputs": [each.SerializeToString() for each in examples]}
            )
            assert answer["classes"] == [[b"pneumothorax"]]
            asked.append((signature, len(examples)))
            continue
        inputs = {name: tf.make_ndarray(each) for name, each in request.inputs.items()}
        inputs = {name: [*each] if each.dtype == object else each for name, each in inputs.items()}
        answer = model.run(signature, inputs)
        assert set(answer["error"]) == {b""}
        assert answer["decision"].all()
        asked.append((signature, len(answer["decision"])))
    assert (tmp_path / "assets.extra" / "tf_serving_warmup_requests").is_file()
    assert asked[: len(BATCH_SIZES)] == [(layout.MASKS, size) for size in BATCH_SIZES]
    assert asked[len(BATCH_SIZES) :] == [
        (name, 1) for name in (layout.SIGNATURE, layout.WITH_POINT, layout.IMAGES, layout.SCORE)
    ]
