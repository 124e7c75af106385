import os

import pytest
from click.testing import CliRunner

from tfptx.cli import output
from tfptx.cli.main import main


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


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A folder that may not be written to: root may always, so that a mode alone won't do."""
    folder = tmp_path / "locked"
    (folder / "study").mkdir(parents=True)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder and access(path, mode))
    return folder


def test_what_can_not_be_written_is_refused_by_its_name(locked, tmp_path):
    message = rf"^{locked} can't be written to; choose another --out$"
    for out in (locked / "new", locked / "new" / "deep"):
        with pytest.raises(ValueError, match=message):
            output.check(out, False, "marker.json")
    # To replace a folder its parent is written to.
    with pytest.raises(ValueError, match=message):
        output.check(locked / "study", True, "marker.json")
    output.refuse_unwritable(locked / "study")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="file is no folder; choose another --out"):
        output.check(tmp_path / "file" / "new", False, "marker.json")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("sweep joint none --out", "--out"),
        ("evaluate none --point none.json --out", "--out"),
        ("import-maps none --truth none --out", "--out"),
        ("phantom --count 1 --out", "--out"),
        ("demo --out", "--out"),
        ("study --out", "--out"),
        ("compare-backbones --out", "--out"),
        ("export --point none.json --out", "--out"),
        ("report", "STUDY"),
    ],
)
def test_commands_look_before_they_work(locked, arguments, name):
    result = CliRunner().invoke(main, [*arguments.split(), str(locked / "new")])
    assert result.exit_code == 1
    assert result.stderr == f"error: {locked} can't be written to; choose another {name}\n"
    assert not (locked / "new").exists()
