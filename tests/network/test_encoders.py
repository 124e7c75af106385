from typing import get_args

import numpy as np
import pytest
import segmentation_models
from classification_models.models import senet

from tfptx.config import EncoderName
from tfptx.network import encoders


def test_the_config_names_the_encoders_of_the_table():
    assert get_args(EncoderName) == tuple(encoders.ENCODERS)


def test_an_unknown_encoder_is_refused():
    for function in (encoders.build, encoders.scaling, encoders.weights_file):
        with pytest.raises(ValueError, match=r"vgg16.*resnet18, resnet34"):
            function("vgg16")


@pytest.mark.parametrize("name", ["resnet18", "resnet34"])
def test_resnets_normalise_by_themselves(name):
    scale, offset = encoders.scaling(name)
    np.testing.assert_array_equal(scale, [1, 1, 1])
    np.testing.assert_array_equal(offset, [0, 0, 0])


@pytest.mark.parametrize("name", list(encoders.ENCODERS))
def test_scaling_is_the_encoders_own_preprocessing(name):
    scale, offset = encoders.scaling(name)
    levels = np.arange(3 * 85, dtype=np.float64).reshape(1, 85, 3)
    expected = segmentation_models.get_preprocessing(name)(levels.copy())
    np.testing.assert_allclose(levels * scale + offset, expected, rtol=0, atol=1e-5)


def test_torch_scaling_has_mean_and_deviation_of_imagenet():
    scale, offset = encoders.scaling("seresnext50")
    # torchvision's, the same for both encoders that use them.
    np.testing.assert_allclose(1 / scale / 255, [0.229, 0.224, 0.225], rtol=1e-6)
    np.testing.assert_allclose(-offset / scale / 255, [0.485, 0.456, 0.406], rtol=1e-6)


@pytest.mark.parametrize("name", list(encoders.ENCODERS))
def test_weight_files_are_named_with_a_checksum(name):
    file = encoders.weights_file(name)
    assert file.address.startswith("https://")
    assert file.address.endswith(file.name)
    assert len(file.checksum) in {32, 64}
    assert "top" in file.name


def test_the_packages_are_as_before_also_after_an_error(monkeypatch):
    original = senet.GroupConv2D
    during = []

    def fail(*_, **__):
        during.append(senet.GroupConv2D)
        raise RuntimeError("no memory")

    monkeypatch.setattr(segmentation_models.Backbones, "get_backbone", fail)
    with pytest.raises(RuntimeError, match="no memory"):
        encoders.build("seresnext50")
    assert during != [original]
    assert senet.GroupConv2D is original
