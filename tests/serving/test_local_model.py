import pytest
import tensorflow as tf

from tfptx.serving import layout, local_model


def test_a_damaged_or_foreign_model_is_refused(tmp_path):
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / layout.SAVED_MODEL).write_bytes(b"no graph")
    with pytest.raises(ValueError, match="is damaged"):
        local_model.load(tmp_path / "damaged")
    tf.saved_model.save(tf.Module(), str(tmp_path / "foreign"))
    with pytest.raises(ValueError, match="no signature masks; export it anew"):
        local_model.load(tmp_path / "foreign")
