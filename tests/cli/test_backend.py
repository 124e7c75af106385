import importlib.util
import os

import pytest

from tfptx.cli import backend, quiet


def test_jax_is_taken_unless_the_environment_names_another(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    for before, after in ((None, "jax"), ("tensorflow", "tensorflow")):
        monkeypatch.setenv("KERAS_BACKEND", before or "")
        if before is None:
            monkeypatch.delenv("KERAS_BACKEND")
        backend.take_jax()
        assert os.environ["KERAS_BACKEND"] == after


def test_without_jax_the_way_to_it_is_told(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'tfptx\[jax\]'"):
        backend.take_jax()


@pytest.mark.parametrize(("any_backend", "after"), [(True, "jax"), (False, "tensorflow")])
def test_commands_of_one_backend_take_that_whatever_is_named(monkeypatch, any_backend, after):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    quiet.import_tensorflow(any_backend)
    assert os.environ["KERAS_BACKEND"] == after
