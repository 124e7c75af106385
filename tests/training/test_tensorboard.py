import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tfptx.training.tensorboard import TensorBoard

ROW = {
    "epoch": 3,
    "loss": 0.75,
    "weighted_bce": 0.5,
    "val_weighted_bce": 0.25,
    "weighted_bce_weight": 0.125,
    "trainable_groups": "decoder",
}


def test_every_number_of_an_epoch_is_a_scalar(tmp_path):
    board = TensorBoard(tmp_path)
    board.add(ROW)
    board.add({**ROW, "epoch": 4, "loss": 0.5})
    found = EventAccumulator(str(tmp_path), {"tensors": 0}).Reload()
    assert set(found.Tags()["tensors"]) == set(ROW) - {"epoch", "trainable_groups"}

    def values(name):
        return [
            (event.step, float(tf.make_ndarray(event.tensor_proto)))
            for event in found.Tensors(name)
        ]

    assert values("loss") == [(3, 0.75), (4, 0.5)]
    assert values("weighted_bce_weight") == [(3, 0.125), (4, 0.125)]
