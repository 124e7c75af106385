import pytest

from tfptx.training.callbacks.history import History


@pytest.mark.parametrize("name", ["loss", "val_loss"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_ends_the_fit_and_writes_nothing(tmp_path, name, value):
    history = History(tmp_path / "history.csv", [], lambda epoch: {})
    history.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0})
    before = (tmp_path / "history.csv").read_bytes()
    with pytest.raises(ValueError, match=f"{name} is {value} in epoch 1"):
        history.on_epoch_end(1, {"loss": 1.0, "val_loss": 1.0, name: value})
    assert (tmp_path / "history.csv").read_bytes() == before
    assert len(history.rows) == 1
