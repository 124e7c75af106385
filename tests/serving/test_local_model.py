import pytest
import tensorflow as tf

from tfptx.serving import layout, local_model


def test_a_damaged_or_foreign_model_is_refused(tmp_path):
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / layout.SAVED_MODEL).write_bytes(b"no graph")
    with pytest.raises(ValueError, match="is damaged"):
        local_model.load(tmp_path / "damaged")
    tf.saved_model.save(tf.Module(), str(tmp_path / "foreign"))
    with pytest.raises(ValueError, match="no signature masks with fingerprints; export it anew"):
        local_model.load(tmp_path / "foreign")


def test_an_export_from_before_fingerprints_is_refused(tmp_path):
    older = tf.Module()
    older.serve = tf.function(
        lambda image_bytes: {"error": image_bytes},
        input_signature=[tf.TensorSpec([None], tf.string, "image_bytes")],
    )
    tf.saved_model.save(older, str(tmp_path / "1"), {layout.MASKS: older.serve})
    with pytest.raises(ValueError, match="with fingerprints; export it anew"):
        local_model.load(tmp_path / "1")
