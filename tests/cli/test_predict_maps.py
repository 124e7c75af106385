import pytest
from click.testing import CliRunner

from tfptx.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no records at records"),
        (["--records", "missing"], "no records at missing"),
        (["--out", "."], "exists already"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["predict-maps", "--out", "maps", *arguments])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("again", ["one", "two/../one", "link"])
def test_a_network_counts_once(again, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to("one")
    runs = ["--run", "one", "--run", "two", "--run", again]
    for command in (["predict-maps", "--out", "maps"], ["export", "--point", "p", "--out", "e"]):
        result = CliRunner().invoke(main, [*command, *runs])
        assert result.exit_code == 2
        assert f"{again} is named twice" in result.stderr


def test_a_fold_is_a_number_or_test():
    result = CliRunner().invoke(main, ["predict-maps", "--out", "maps", "--fold", "first"])
    assert result.exit_code == 2
    assert "--fold is a number or test, got 'first'" in result.stderr
