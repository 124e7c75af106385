import hashlib
import http.server
import threading

import h5py
import keras
import numpy as np
import pytest
import segmentation_models
from classification_models import weights as classification_weights
from tensorflow import keras as tf_keras

from tfptx.network import encoders, imagenet, unet
from tfptx.network.imagenet import WeightsFile

CONTENT = b"weights" * 5000
SIZE_PX = 32


class Original:
    """An encoder as its package builds it, in float64 with weights drawn at random."""

    def __init__(self, name):
        self.created = []
        backbones = segmentation_models.Backbones
        with pytest.MonkeyPatch.context() as patch:
            add_weight = keras.layers.Layer.add_weight

            def recorded(layer, *arguments, **named):
                if layer not in self.created:
                    self.created.append(layer)
                return add_weight(layer, *arguments, **named)

            patch.setattr(keras.layers.Layer, "add_weight", recorded)
            self.model = backbones.get_backbone(
                name, input_shape=(None, None, 3), weights=None, include_top=False,
                backend=tf_keras.backend, layers=tf_keras.layers, models=tf_keras.models,
                utils=tf_keras.utils,
            )  # fmt: skip
        generator = np.random.default_rng(0)
        for layer in self.created:
            factors = [generator.uniform(0.5, 1, weight.shape) for weight in layer.weights]
            values = [
                f * (w.numpy() if w.ndim > 1 else 1)
                for f, w in zip(factors, layer.weights, strict=True)
            ]
            layer.set_weights(values)
        skips = [
            self.model.get_layer(where)
            if isinstance(where, str)
            else self.model.get_layer(index=where)
            for where in reversed(backbones.get_feature_layers(name, 4))
        ]
        outputs = [layer.output for layer in skips] + [self.model.output]
        self.features = keras.Model(self.model.input, outputs)


def write_keras2(path, layers, count=None):
    """Write the first `count` layers in the form that Keras 2 gave `model.save_weights`."""
    layers = layers[:count]
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        for layer in layers:
            group = file.create_group(layer.name)
            prefix = "depthwise_" if isinstance(layer, keras.layers.DepthwiseConv2D) else ""
            names = [
                f"{layer.name}/{prefix if weight.name == 'kernel' else ''}{weight.name}:0"
                for weight in layer.weights
            ]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = weight.numpy()


@pytest.fixture
def float64():
    for dtype in ("float64", "float32"):
        keras.config.set_floatx(dtype)
        # Keras takes the policy from it once, and keeps that.
        keras.config.set_dtype_policy(dtype)
        if dtype == "float64":
            yield


@pytest.mark.parametrize(
    "name",
    ["resnet18", "resnet50", "seresnet50", "seresnext50", "efficientnetb0", "efficientnetb4"],
)
def test_a_file_of_2019_gives_the_features_of_2019(name, float64, tmp_path):
    original = Original(name)
    images = np.random.default_rng(1).normal(size=(1, SIZE_PX, SIZE_PX, 3))
    expected = original.features(images)
    encoder = encoders.build(name)
    write_keras2(tmp_path / "weights.h5", original.created)
    imagenet.load(encoder, tmp_path / "weights.h5")
    for found, wanted in zip(encoder(images).values(), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9 * np.std(wanted))

    # The file may have the order of the graph too, which is another one wherever paths join.
    in_graph_order = [layer for layer in original.model.layers if layer.weights]
    assert (in_graph_order != original.created) is not name.startswith("efficientnet")
    kept = encoder.get_weights()
    write_keras2(tmp_path / "weights.h5", in_graph_order)
    encoder.set_weights([np.zeros_like(value) for value in kept])
    imagenet.load(encoder, tmp_path / "weights.h5")
    for found, wanted in zip(encoder.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.fixture(scope="module")
def resnet():
    return Original("resnet18")


def refused(path, encoder, message):
    before = encoder.get_weights()
    with pytest.raises(ValueError, match=message):
        imagenet.load(encoder, path)
    for weight, value in zip(encoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_a_file_that_does_not_fit_is_refused_and_changes_nothing(resnet, tmp_path):
    path = tmp_path / "weights.h5"
    encoder = encoders.build("resnet18")
    write_keras2(path, resnet.created, count=-1)
    refused(
        path, encoder, r"no weights for layer bn1 \(gamma, beta, moving_mean, moving_variance\)"
    )
    classifier = keras.layers.Dense(3, name="fc1")
    classifier.build((None, 512))
    write_keras2(path, [*resnet.created, classifier])
    refused(path, encoder, "1 layers more than the encoder, the first is fc1")
    other = keras.layers.Conv2D(8, 7, use_bias=False, name="conv0")
    other.build((None, 9, 9, 3))
    write_keras2(path, [other if layer.name == "conv0" else layer for layer in resnet.created])
    refused(
        path, encoder, r"kernel of shape \(7, 7, 3, 8\) in layer conv0, expected \(7, 7, 3, 64\)"
    )


@pytest.mark.parametrize("content", [b"<html>not found</html>", b""])
def test_a_file_of_another_kind_is_refused(content, tmp_path):
    (tmp_path / "weights.h5").write_bytes(content)
    with pytest.raises(ValueError, match="no weights file of Keras 2"):
        imagenet.load(keras.Sequential(), tmp_path / "weights.h5")


def test_an_h5_file_of_keras_3_is_refused(tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.build((None, 2))
    model.save_weights(tmp_path / "new.weights.h5")
    with pytest.raises(ValueError, match="no weights file of Keras 2"):
        imagenet.load(model, tmp_path / "new.weights.h5")


class Answer(http.server.BaseHTTPRequestHandler):
    """Serves the bytes that stand under a path in the server's `files`, or a part of them."""

    def do_GET(self):
        self.server.requests.append(self.path)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.server.cut_bytes])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setenv("TFPTX_CACHE", str(tmp_path / "cache"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as running:
        running.files, running.requests, running.cut_bytes = {"/w.h5": CONTENT}, [], None
        running.address = f"http://127.0.0.1:{running.server_port}/w.h5"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_file_is_downloaded_once_and_checked(algorithm, server, tmp_path, capsys):
    file = WeightsFile("w.h5", server.address, hashlib.new(algorithm, CONTENT).hexdigest())
    assert imagenet.fetch(file) == imagenet.fetch(file) == tmp_path / "cache" / "w.h5"
    assert (tmp_path / "cache" / "w.h5").read_bytes() == CONTENT
    assert server.requests == ["/w.h5"]
    assert capsys.readouterr().out == ""


def test_another_content_is_refused_and_not_kept(server, tmp_path):
    file = WeightsFile("w.h5", server.address, "0" * 64)
    with pytest.raises(ValueError, match=r"has sha256 .*, expected 0+; .*path as encoder weights"):
        imagenet.fetch(file)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cut_or_missing_file_is_refused_and_not_kept(server, tmp_path):
    file = WeightsFile("w.h5", server.address, hashlib.md5(CONTENT).hexdigest())
    server.cut_bytes = 1000
    with pytest.raises(ValueError, match=r"no download of http.*path as encoder weights"):
        imagenet.fetch(file)
    assert list((tmp_path / "cache").iterdir()) == []
    server.files.clear()
    with pytest.raises(ValueError, match="404"):
        imagenet.fetch(file)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cached_file_that_was_damaged_is_refused(server, tmp_path):
    file = WeightsFile("w.h5", server.address, hashlib.md5(CONTENT).hexdigest())
    path = imagenet.fetch(file)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match=f"delete {path}"):
        imagenet.fetch(file)


def test_a_network_starts_from_downloaded_or_local_weights(resnet, server, tmp_path, monkeypatch):
    local = tmp_path / "local.h5"
    write_keras2(local, resnet.created)
    server.files["/w.h5"] = local.read_bytes()
    entry = {
        "model": "resnet18", "dataset": "imagenet", "include_top": False, "name": "w.h5",
        "url": server.address, "md5": hashlib.md5(local.read_bytes()).hexdigest(),
    }  # fmt: skip
    monkeypatch.setattr(classification_weights, "WEIGHTS_COLLECTION", [entry])
    wanted = {layer.name: layer.get_weights() for layer in resnet.created}
    for weights in ("imagenet", str(local)):
        encoder = unet.build("resnet18", weights=weights).get_layer("encoder")
        for name, values in wanted.items():
            for found, value in zip(encoder.get_layer(name).get_weights(), values, strict=True):
                np.testing.assert_array_equal(found, value)
