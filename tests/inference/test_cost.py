import keras
import pytest

from tfptx.inference import cost
from tfptx.network import grouped_conv
from tfptx.network.grouped_conv import GroupedConv2D


def test_a_convolution_has_two_operations_for_each_weight_and_pixel():
    images = keras.Input((8, 8, 4))
    plain = keras.Model(images, keras.layers.Conv2D(6, 3, padding="same", use_bias=False)(images))
    assert cost.flops(_one_channel(plain), 8) == 2 * 9 * 4 * 6 * 64 + 2 * 4 * 64


def _one_channel(model):
    images = keras.Input((8, 8, 1))
    return keras.Model(images, model(keras.layers.Conv2D(4, 1, use_bias=False)(images)))


def test_groups_count_what_they_compute_on_any_device(monkeypatch):
    """A CPU packs groups with zeros between, which are no cost of the network."""
    images = keras.Input((8, 8, 1))
    wide = keras.layers.Conv2D(64, 1, use_bias=False)(images)
    model = keras.Model(images, GroupedConv2D(64, 3, groups=32, use_bias=False)(wide))
    found = cost.flops(model, 8)
    assert found == 2 * 64 * 64 + 2 * 9 * 2 * 64 * 36
    monkeypatch.setattr(grouped_conv, "PACKED_CHANNELS", 64)
    assert cost.flops(model, 8) == found


def test_the_form_is_given_back():
    with pytest.raises(RuntimeError), grouped_conv.as_one_operation():
        raise RuntimeError
    assert not grouped_conv._is_one_operation.get()
