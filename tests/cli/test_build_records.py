import sys

from click.testing import CliRunner

from tests.pipeline.make_records import build_records
from tfptx.cli.main import main


def test_the_runner_beam_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(sys.modules, "tfptx.records.beam", raising=False)
    build_records(tmp_path, 3, 3)
    given = ["build-records", f"--images={tmp_path / 'images'}", f"--out={tmp_path / 'out'}"]
    result = CliRunner().invoke(main, [*given, "--runner", "beam"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: --runner beam needs a package that is missing")
    assert result.stderr.endswith("pip install 'tfptx[beam]'\n")


def test_options_of_beam_are_refused_without_its_runner(tmp_path):
    given = ["build-records", f"--images={tmp_path}", "--", "--runner=FlinkRunner"]
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 2
    assert "'--runner=FlinkRunner' is an option of Beam; add --runner beam" in result.stderr
