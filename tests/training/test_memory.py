import pytest
import tensorflow as tf

from tfptx.training import memory


@pytest.fixture
def listed_gpu(monkeypatch):
    """A GPU that TensorFlow lists; there is none here that it could ask."""
    device = tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [device])
    return device


def test_the_memory_of_a_gpu_that_is_hidden_from_tensorflow_is_not_asked_of_it(listed_gpu):
    memory.reset()
    assert memory.peak_mb() > 0


def test_that_of_a_visible_one_is(listed_gpu, monkeypatch):
    asked = []
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [listed_gpu])
    monkeypatch.setattr(tf.config.experimental, "reset_memory_stats", asked.append)
    monkeypatch.setattr(tf.config.experimental, "get_memory_info", lambda name: {"peak": 3e9})
    memory.reset()
    assert asked == ["GPU:0"]
    assert memory.peak_mb() == 3000
