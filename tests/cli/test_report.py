"""The command `report`, from its arguments to its page."""

from click.testing import CliRunner

from tests.studies.report import make_study
from tfptx.cli.main import main
from tfptx.studies.report import theme


def call(*arguments):
    return CliRunner().invoke(main, ["report", *arguments])


def test_a_report_prints_where_its_page_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(theme, "DPI", 30)
    make_study.write_sweeps(tmp_path / "study", make_study.write_maps(tmp_path / "maps"))
    make_study.write_run(tmp_path / "run")
    result = call("study", "--run", "run")
    assert result.exit_code == 0, result.output
    assert result.stdout == "study/report.html\n"
    assert (tmp_path / "study" / "figures" / "training-0.png").is_file()


def test_what_can_not_be_reported_is_one_line_and_exit_1(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments, message in (
        (["none"], "tfptx sweep joint MAPS --out none"),
        (
            ["none"],
            "sweep (threshold, joint, triplet, components, presence), no backbones.csv and no run",
        ),
        (["none", "--run", "nowhere"], "no run at nowhere"),
    ):
        result = call(*arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")
        assert message in result.stderr
        assert result.stderr.count("\n") == 1
        assert not (tmp_path / "none").exists()
