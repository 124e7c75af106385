import pytest

from tfptx.network import unet
from tfptx.training import groups

STRIDES = ["stride32", "stride16", "stride8", "stride4", "stride2"]


@pytest.fixture(scope="module")
def network():
    return unet.build("resnet18")


def test_groups_by_stride_hold_every_layer_with_weights_once(network):
    found = groups.select(network, ["decoder", *STRIDES])
    assert list(found) == ["decoder", *STRIDES]
    members = [layer for layers in found.values() for layer in layers]
    assert len({id(layer) for layer in members}) == len(members)
    weights = {id(weight) for layer in members for weight in layer.weights}
    assert weights == {id(weight) for weight in network.weights}


def test_patterns_match_whole_layer_names(network):
    names = ["decoder", r"stage4_.*|bn1", r"stage[123]_.*", r"bn_data|conv0|bn0"]
    found = groups.select(network, names)
    assert list(found) == names
    assert [layer.name for layer in found[r"bn_data|conv0|bn0"]] == ["bn_data", "conv0", "bn0"]
    assert all(layer.name.startswith("stage4_") for layer in found[r"stage4_.*|bn1"][:-1])
    with pytest.raises(ValueError, match="no layer is named stage4;"):
        groups.select(network, ["decoder", "stage4"])


def test_a_layer_in_no_group_in_two_or_a_group_without_layers_is_refused(network):
    first = groups.select(network, ["decoder", *STRIDES])["stride32"][0].name
    with pytest.raises(ValueError, match=r"the layer .* is in no group; put each in exactly one"):
        groups.select(network, ["decoder", *STRIDES[1:]])
    with pytest.raises(ValueError, match=f"the layer {first} is in stride32 and {first}"):
        groups.select(network, ["decoder", *STRIDES, first])
    with pytest.raises(ValueError, match="no layer is named stride64; name stride2, stride4"):
        groups.select(network, ["decoder", *STRIDES, "stride64"])
