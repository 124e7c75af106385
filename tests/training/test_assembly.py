import keras
import numpy as np
import pytest
from tensorflow.python.framework import config as tf_config

from tests import tiny_study
from tfptx.training import assembly, state

IMAGES = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 1)).astype(np.float32)
MASKS = (IMAGES > 200).astype(np.uint8)


def assemble(*overrides):
    study = tiny_study.study(*overrides)
    keras.utils.set_random_seed(0)
    parts = assembly.assemble(study, study.plan("1"), None)
    for weight in parts.curriculum.weights.values():
        weight.assign(1.0)
    return parts


@pytest.mark.parametrize(
    ("precision", "inside", "light"),
    [("mixed_bfloat16", "bfloat16", "false"), ("mixed_float16", "float16", "true")],
)
def test_layers_are_narrow_and_weights_logits_and_losses_float32(
    precision, inside, light, tmp_path
):
    changes = f"stage.1.precision={precision}", f"stage.1.rematerialised={light}"
    parts = assemble(*changes)
    assert keras.config.dtype_policy().name == "float32"
    assert parts.network.get_layer("decoder_stage0a_conv").compute_dtype == inside
    assert {weight.dtype for weight in parts.network.weights} == {"float32"}
    before = parts.network.get_weights()
    loss = parts.learner.train_on_batch(IMAGES, MASKS)[0]
    assert np.asarray(parts.learner.predict_on_batch(IMAGES)).dtype == np.float32
    assert np.isfinite(loss)
    moved = [
        not np.array_equal(*pair) for pair in zip(parts.network.get_weights(), before, strict=True)
    ]
    assert any(moved)
    assert parts.learner.adam.multipliers.keys() == parts.groups.keys()

    # What scales the loss has a state, which a fit that was cut off goes on with.
    state.save(tmp_path, parts.learner, 0, 1)
    other = assemble(*changes)
    state.restore(state.latest(tmp_path), other.learner)
    for one, same in zip(
        other.learner.optimizer.variables, parts.learner.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(same))


def test_weights_of_narrow_layers_are_those_of_wide_ones(tmp_path):
    narrow, wide = assemble("stage.1.precision=mixed_bfloat16"), assemble()
    narrow.network.save_weights(tmp_path / "n.weights.h5")
    wide.network.load_weights(tmp_path / "n.weights.h5")
    found, expected = (np.asarray(parts.network(IMAGES)) for parts in (narrow, wide))
    np.testing.assert_allclose(found, expected, atol=0.1 * np.std(expected))


def test_a_compiled_step_has_losses_of_static_shapes():
    # A fit that ran before in this process made it so, and Keras then compiles no step with XLA.
    tf_config.disable_op_determinism()
    parts = assemble("stage.1.xla=true", "stage.2.xla=true")
    assert parts.learner.jit_compile
    lovasz = parts.curriculum._terms["lovasz_hinge"]
    assert lovasz.keywords["sort"] == "all"
    assert not assemble().learner.jit_compile
