import pytest

from tfptx.cli import output


def test_what_does_not_stand_may_be_written(tmp_path):
    output.check(tmp_path / "new", False, "marker.json", [tmp_path])


def test_a_folder_of_the_command_is_replaced_only_when_told(tmp_path):
    (tmp_path / "marker.json").touch()
    with pytest.raises(
        ValueError, match="exists already; choose another --out or pass --overwrite"
    ):
        output.check(tmp_path, False, "marker.json")
    output.check(tmp_path, True, "marker.json", [None, tmp_path.parent])


def test_other_folders_files_and_inputs_are_never_replaced(tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    output.check(scans, True, "marker.json")
    (scans / "one.dcm").touch()
    for out in (scans, scans / "one.dcm"):
        with pytest.raises(ValueError, match="holds no marker"):
            output.check(out, True, "marker.json")
    (scans / "marker.json").touch()
    for read in (scans, scans / "one.dcm"):
        with pytest.raises(ValueError, match="would be replaced"):
            output.check(scans, True, "marker.json", [read])
