"""The demo on a few small phantoms: that it ends, can be run again, and says what it found."""

import dataclasses

import pytest
from click.testing import CliRunner

from tests import browser, exploring
from tests.small_study import small_study
from tfptx import config
from tfptx.cli.main import main
from tfptx.studies import demo


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    (folder / "small.toml").write_text(config.to_toml(small_study()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "CONFIG", folder / "small.toml")
        patch.setattr(demo, "PHANTOMS", dataclasses.replace(demo.PHANTOMS, count=30, size_px=64))
        patch.setattr(demo, "RECORDS", dataclasses.replace(demo.RECORDS, num_folds=2))
        yield folder / "out"


def run(out, *more):
    result = CliRunner().invoke(main, ["demo", "--out", str(out), *more], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_it_ends_with_its_table_and_paths_and_run_again_says_the_same_at_once(small):
    written = run(small)
    assert "all empty" in written
    for path in ("study/report.html", "export/1/saved_model.pb", "predictions/findings.csv"):
        assert (small / path).is_file()
    paths = [line.split()[-1] for line in written.splitlines() if line.startswith(("rep", "exp"))]
    assert paths == [str(small / "study" / "report.html"), str(small / "export" / "1")]
    weights = small / "runs" / "fold0" / "stage2" / "best.weights.h5"
    written_at = weights.stat().st_mtime_ns
    assert run(small) == written
    assert weights.stat().st_mtime_ns == written_at
    assert sorted(path.name for path in (small / "export").iterdir()) == ["1", "serving"]


def test_its_page_shows_in_a_browser_what_evaluate_says(small, tmp_path):
    run(small)
    folders = (small / "maps" / "validation", small / "maps" / "test")
    with (
        browser.running() as driver,
        exploring.opened(driver, small / "study" / "report.html", offline=True) as page,
    ):
        exploring.is_ready(page)
        exploring.check(page, folders, 1024, tmp_path)
        for slider, keys in (("bottom", ["PageDown"]), ("size", ["ArrowRight", "PageUp"])):
            exploring.move(page, slider, *keys)
            exploring.check(page, folders, 1024, tmp_path)
        buttons = page.locator(".samples button")
        for place in range(buttons.count()):
            buttons.nth(place).click()
            assert page.locator("[data-fact=outcome]").text_content()
        assert page.noted["messages"] == []
        assert browser.loaded(page) == []


def test_a_comparison_is_of_its_encoders_on_the_same_records(small, monkeypatch):
    asked = []
    monkeypatch.setattr(demo.experiments, "run", lambda *arguments: asked.append(arguments))
    run(small, "--compare")
    ((_, records, out, plan, *_),) = asked
    assert (records, out) == (small / "records", small / "backbones")
    assert (plan.encoders, plan.stages) == (("resnet18", "resnet34"), ("1", "2"))
