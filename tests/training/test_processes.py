import pytest

from tfptx.training.processes import ALONE


def test_a_process_alone_asks_nobody():
    assert ALONE.is_first
    assert ALONE.told({"loss": 0.1}) == {"loss": 0.1}
    assert ALONE.is_any(True)
    assert not ALONE.is_any(False)
    ALONE.agree({"config": "one"})
    with pytest.raises(OSError, match="as it is"):
        ALONE.by_first(fail)


def fail():
    raise OSError("as it is")
