import json

import pytest

from tfptx import files


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), files.writing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_whole_or_stays(tmp_path):
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "old").touch()
    with pytest.raises(RuntimeError), files.writing_folder(folder) as temporary:
        (temporary / "new").touch()
        raise RuntimeError
    assert [path.name for path in folder.iterdir()] == ["old"]
    with files.writing_folder(folder) as temporary:
        (temporary / "new").touch()
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [folder]


def test_json_of_another_schema_is_refused(tmp_path):
    path = tmp_path / "point.json"
    files.write_json(path, {"schema": 1, "threshold": 0.55})
    assert files.read_json(path, 1) == {"schema": 1, "threshold": 0.55}
    with pytest.raises(ValueError, match="schema 1, this version of tfptx reads 2"):
        files.read_json(path, 2)
    path.write_text(json.dumps([1]))
    with pytest.raises(ValueError, match="schema None"):
        files.read_json(path, 1)
    path.write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        files.read_json(path, 1)
