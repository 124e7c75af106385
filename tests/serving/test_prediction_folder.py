import pytest

from tfptx.serving import prediction_folder


def test_one_process_at_a_time_predicts(tmp_path):
    out = tmp_path / "out"
    with (
        prediction_folder.begun(out, "this", False),
        pytest.raises(ValueError, match=r"another process predicts .*out; wait"),
        prediction_folder.begun(out, "this", False),
    ):
        pass
    with prediction_folder.begun(out, "this", False) as (folder, _):
        (folder / "made").touch()
        prediction_folder.put(folder, out)
    assert [path.name for path in out.iterdir()] == ["made"]


def test_what_a_killed_run_had_begun_is_removed_and_the_rest_stays(tmp_path):
    with prediction_folder.begun(tmp_path / "out", "this", False) as (folder, _):
        (folder / "overlays").mkdir()
        for name in (".writing-x.png", "a.png"):
            (folder / "overlays" / name).touch()
    with prediction_folder.begun(tmp_path / "out", "this", False) as (folder, _):
        assert [path.name for path in (folder / "overlays").iterdir()] == ["a.png"]
    with prediction_folder.begun(tmp_path / "out", "that", True) as (folder, _):
        assert [path.name for path in folder.iterdir()] == [prediction_folder.JOURNAL]
