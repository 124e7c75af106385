import h5py
import keras
import numpy as np
import pytest

from tfptx.network import weight_files


@pytest.fixture
def model():
    return keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Conv2D(5, 3), keras.layers.Flatten()]
    )


def write_keras2(path, model):
    """The form in which Keras 2 kept a model's weights."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = np.asarray(weight)


def test_a_file_of_keras_2_names_layers_and_weights(model, tmp_path):
    path = tmp_path / "w.h5"
    write_keras2(path, model)
    assert weight_files.is_one(path)
    found = weight_files.read(path)
    assert found.form == weight_files.KERAS2
    convolution = model.layers[0].name
    assert found.layers[convolution] == {
        f"{convolution}/kernel:0": (3, 3, 3, 5),
        f"{convolution}/bias:0": (5,),
    }
    assert found.num_parameters == model.count_params() == 140


def test_a_file_of_keras_3_too(model, tmp_path):
    path = tmp_path / "w.weights.h5"
    model.save_weights(path)
    found = weight_files.read(path)
    assert found.form == weight_files.KERAS3
    assert sorted(map(len, found.layers.values())) == [2]
    assert found.num_parameters == 140


def test_what_holds_no_weights_is_refused(tmp_path):
    text, empty = tmp_path / "text.h5", tmp_path / "empty.h5"
    text.write_text("no weights")
    with h5py.File(empty, "w") as file:
        file["x"] = 1
    assert not weight_files.is_one(text)
    assert not weight_files.is_one(tmp_path)
    with pytest.raises(ValueError, match="no whole file of weights"):
        weight_files.read(text)
    with pytest.raises(ValueError, match="an HDF5 file without weights"):
        weight_files.read(empty)
