"""The page read back: its numbers, its pictures, what it names as missing."""

import base64
import hashlib
import html
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from tests.operating_point import make_maps
from tests.studies.report import make_study
from tfptx import runs
from tfptx.operating_point import assessment, score, sweep, tables
from tfptx.studies import backbones_table
from tfptx.studies.report import page

PNG = b"\x89PNG\r\n\x1a\n"


class Reader(HTMLParser):
    """Collects the cells of each table row, all text, the tags and their attributes."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.texts, self.tags, self.attributes = [], [], [], []
        self.is_in_cell = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self.is_in_cell = True

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self.is_in_cell = False

    def handle_data(self, data):
        self.texts.append(data)
        if self.is_in_cell:
            self.rows[-1][-1] += data

    def row(self, name):
        return next(row for row in self.rows if row and row[0].startswith(name))


def read(path):
    return Reader(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A study with all but backbones, and its page."""
    folder = tmp_path_factory.mktemp("whole")
    maps = make_study.write_maps(folder / "maps")
    make_study.write_sweeps(folder / "study", maps)
    run = make_study.write_run(folder / "run")
    assert (
        page.write(folder / "study", [run], [], make_study.unheard)
        == folder / "study" / "report.html"
    )
    return folder


def number(text):
    """The number that a cell begins with; an interval may follow."""
    value = float(re.match(r"\d\.\d{4}|[\d.]+", text)[0])
    return value / 100 if text.endswith("%") else value


@pytest.mark.parametrize(
    ("name", "kind"), [("Best threshold", "threshold"), ("Best pair", "joint")]
)
def test_the_headline_has_the_numbers_of_the_best_cell(whole, name, kind):
    results = pd.read_csv(whole / "study" / kind / "results.csv")
    best = results.sort_values(["mean_dice", "positive_dice"]).iloc[-1]
    shown = [number(cell) for cell in read(whole / "study" / page.NAME).row(name)[1:]]
    columns = ["mean_dice", "positive_dice", "sensitivity", "specificity", "empty_share"]
    assert shown == pytest.approx(best[columns].tolist(), abs=6e-4)


def test_the_headline_has_the_line_of_predicting_nothing(whole):
    shown = read(whole / "study" / page.NAME).row("Predicting nothing")
    # Three of the six images have no pneumothorax.
    assert [number(cell) for cell in shown[1:]] == [0.5, 0.0, 0.0, 1.0, 1.0]


def test_the_page_loads_nothing_and_runs_its_own_script_alone(whole):
    text = (whole / "study" / page.NAME).read_text(encoding="utf-8")
    found = Reader(text)
    loading = [v for name, v in found.attributes if name in {"src", "srcset", "href", "data"}]
    assert loading
    assert all(value.startswith(("data:image/", "#")) for value in loading)
    assert not {"link", "iframe", "object", "base"} & set(found.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert not re.search(r"https?://", text)
    policy = next(value for _, value in found.attributes if value and "default-src" in value)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag, pattern in (("style", "<style>(.*?)</style>"), ("script", 'module">(.*?)</script>')):
        own = re.search(pattern, text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_figures_stand_beside_the_page_and_in_it(whole):
    figures = sorted((whole / "study" / "figures").iterdir())
    names = {"threshold", "joint", "reliability", "example", "training-0"}
    for kind in (".png", "-dark.png", ".svg"):
        assert {f"{name}{kind}" for name in names} <= {path.name for path in figures}
    text = (whole / "study" / page.NAME).read_text(encoding="utf-8")
    for path in figures:
        content = path.read_bytes()
        if path.suffix == ".svg":
            assert b"<svg" in content
            continue
        assert content.startswith(PNG)
        assert base64.b64encode(content).decode() in text


def test_what_a_file_or_folder_is_called_can_not_become_markup(whole):
    hostile = make_study.IMAGES[4][0]
    text = (whole / "study" / page.NAME).read_text(encoding="utf-8")
    assert hostile not in text
    assert "<b>speck" not in text
    assert hostile in html.unescape(text)
    assert any(hostile in data for data in read(whole / "study" / page.NAME).texts)


def test_cases_are_labelled_with_outcome_and_dice(whole):
    texts = " ".join("".join(read(whole / "study" / page.NAME).texts).split())
    # The cut square of 8 x 8 lies within the true 12 x 12.
    cut = 2 * 64 / (64 + 144)
    for label in (
        "False negative, Dice 0.000",
        "False positive, Dice 0.000",
        f"True positive, Dice {cut:.3f}",
        "True negative, Dice 1.000",
        "of 3 radiographs with a pneumothorax 2 are found",
        "1 missed (false negatives)",
        "of 3 without one 2 are left empty",
        "1 are false alarms (false positives)",
    ):
        assert label in texts


def test_the_page_says_that_its_score_is_optimistic_and_where_it_came_from(whole):
    text = " ".join("".join(read(whole / "study" / page.NAME).texts).split())
    assert "chosen on these same radiographs" in text
    assert "optimistic" in text
    folder = runs.stage_folder(whole / "run", 0, "2")
    assert runs.fingerprint(folder)[:16] in text
    for known in ("a" * 16, "c" * 16, "d" * 16, "numpy " + np.__version__, "horizontal_flip"):
        assert known in text


def test_made_again_the_page_is_the_same_and_nothing_old_is_left(whole):
    study = whole / "study"
    before = (study / page.NAME).read_bytes()
    (study / "figures" / "old.png").write_bytes(b"old")
    page.write(study, [whole / "run"], [], make_study.unheard)
    assert (study / page.NAME).read_bytes() == before
    assert not (study / "figures" / "old.png").exists()
    assert not list(study.rglob(".writing-*"))


@pytest.mark.parametrize(("kind", "missing"), [("threshold", "joint"), ("joint", "threshold")])
@pytest.mark.usefixtures("_no_figures")
def test_a_missing_sweep_is_named_with_its_command(tmp_path, maps_folder, kind, missing):
    study = tmp_path / "study"
    make_study.write_sweeps(study, maps_folder, [kind])
    text = html.unescape(page.write(study, [], [], make_study.unheard).read_text(encoding="utf-8"))
    assert f"tfptx sweep {missing} {maps_folder} --out {study}" in text
    assert f"tfptx report {study} --run RUN" in text
    assert "tfptx compare-backbones" in text
    assert not (study / "figures" / f"{missing}.png").exists()


@pytest.mark.usefixtures("_no_figures")
def test_a_run_alone_gives_a_page(tmp_path):
    run, study = make_study.write_run(tmp_path / "run", is_finished=False), tmp_path / "study"
    text = html.unescape(
        page.write(study, [run], [], make_study.unheard).read_text(encoding="utf-8")
    )
    assert f"tfptx sweep joint MAPS --out {study}" in text
    assert "not finished, 2 epochs so far" in text
    assert "tfptx report" not in "".join(re.findall("<code>.*?</code>", text))


def test_a_run_folder_is_reported_by_itself(tmp_path):
    run = make_study.write_run(tmp_path / "run")
    text = html.unescape(page.write(run, [], [], make_study.unheard).read_text(encoding="utf-8"))
    assert f"tfptx predict-maps --run {run} --records RECORDS --out MAPS" in text
    assert "tfptx sweep joint MAPS --out STUDY" in text
    assert "best epoch 1 of 2" in text
    assert (run / "figures" / "training-0.svg").is_file()


@pytest.mark.parametrize(
    ("kind", "axes"),
    [
        ("triplet", {"top_threshold": (0.5, 0.8), "area_px": (0, 20), "bottom_threshold": (0.3,)}),
        ("components", {"fills_holes": (False,), "threshold": (0.5,), "min_component_px": (0, 20)}),
    ],
)
def test_a_sweep_of_another_kind_alone_gives_its_parts(tmp_path, maps_folder, kind, axes):
    found = sweep.run(kind, axes, [maps_folder], make_study.SIDE_PX, lambda share: None)
    tables.write_sweep(tmp_path, found, overwrite=False)
    text = html.unescape(
        page.write(tmp_path, [], [], make_study.unheard).read_text(encoding="utf-8")
    )
    assert f"At {found.point.label} the mean Dice is {found.point.mean_dice:.4f}" in text
    assert f"tfptx sweep joint {maps_folder} --out {tmp_path}" in text
    assert (tmp_path / "figures" / "example.png").is_file()


@pytest.mark.usefixtures("_no_figures")
def test_maps_that_judge_stand_beside_those_that_chose(tmp_path, maps_folder):
    make_study.write_sweeps(tmp_path / "study", maps_folder)
    levels, truths = make_maps.draw(5, [(32, 32)] * 8)
    others = make_maps.write(tmp_path / "others", levels, truths)
    found = read(page.write(tmp_path / "study", [], [others], make_study.unheard))
    rows = [row for row in found.rows if row and row[0].startswith("Best pair")]
    point = tables.read_point(tmp_path / "study" / "joint" / "point.json")
    judged = assessment.assess([others], point, assessment.Options(), lambda share: None).figures
    figures = [judged[name].value for name in score.FIGURES]
    assert [number(cell) for cell in rows[1][1:]] == pytest.approx(figures, abs=6e-4)
    assert f"{judged['mean_dice'].low:.4f} to{judged['mean_dice'].high:.4f}" in rows[1][1]
    text = " ".join("".join(found.texts).split())
    assert "On others, where no point was chosen" in text
    assert f"at {point.label}" in text.lower()


@pytest.mark.parametrize("shapes", [[(32, 32)], [(32, 32)] * 4], ids=["one", "several"])
@pytest.mark.parametrize(
    ("truth", "counts_only"),
    [(None, True), (False, False), (True, False)],
    ids=["counts alone", "no positive", "no negative"],
)
def test_few_and_one_sided_images_give_the_parts_that_there_are(
    tmp_path, shapes, truth, counts_only
):
    levels, truths = make_maps.draw(5, shapes)
    if truth is not None:
        truths = [np.full(each.shape, truth) for each in truths]
    maps = make_maps.write(tmp_path / "maps", levels, truths, counts_only=counts_only)
    make_study.write_sweeps(tmp_path / "study", maps)
    found = read(page.write(tmp_path / "study", [], [], make_study.unheard))
    assert found.row("Best pair")
    assert any("holds counts without maps" in text for text in found.texts) == counts_only
    has_example = (tmp_path / "study" / "figures" / "example.png").is_file()
    assert has_example == (truth is True)


@pytest.mark.usefixtures("_no_figures")
def test_maps_that_are_gone_are_named_and_the_rest_stands(tmp_path, maps_folder):
    study = tmp_path / "study"
    make_study.write_sweeps(study, maps_folder)
    shutil.rmtree(maps_folder)
    found = read(page.write(study, [], [], make_study.unheard))
    assert f"no maps at {maps_folder}" in " ".join(found.texts)
    assert found.row("Best pair")


def test_backbones_are_shown_with_the_numbers_of_their_table(tmp_path):
    scores = {"threshold_mean_dice": 0.80, "positive_dice": 0.5, "all_empty_dice": 0.7}
    rows = [
        dict.fromkeys(backbones_table.COLUMNS, 1.0)
        | scores
        | {"encoder": encoder, "mean_dice": mean_dice, "nested_mean_dice": mean_dice - 0.01}
        for encoder, mean_dice in (("resnet34", 0.8321), ("seresnext50", 0.8456))
    ]
    backbones_table.write(tmp_path, rows)
    found = read(page.write(tmp_path, [], [], make_study.unheard))
    nested, behind = "1.0000 to1.0000", "1.00001.0000 to1.0000"
    assert found.row("resnet34")[1:5] == ["0.80001", "0.83211, 1 px", f"0.8221{nested}", behind]
    assert found.row("seresnext50")[1:4] == ["0.80001", "0.84561, 1 px", f"0.8356{nested}"]
    assert found.row("Predicting nothing")[1:4] == ["0.7000"] * 3
    assert (tmp_path / "figures" / "backbones.png").read_bytes().startswith(PNG)


@pytest.mark.usefixtures("_no_figures")
def test_a_comparison_shows_sweeps_and_training_of_its_best_backbone(tmp_path, maps_folder):
    study = tmp_path / "study"
    rows = [
        dict.fromkeys(backbones_table.COLUMNS, 0.5)
        | {"encoder": name, "nested_mean_dice": nested_mean_dice}
        for name, nested_mean_dice in (("resnet34", 0.8), ("seresnext50", 0.7))
    ]
    backbones_table.write(study, rows)
    make_study.write_sweeps(study / backbones_table.SWEEPS / "resnet34", maps_folder)
    run = make_study.write_run(study / backbones_table.RUNS / "resnet34")
    found = read(page.write(study, [], [], make_study.unheard))
    assert "sweeps of the best backbone, resnet34" in " ".join(found.texts)
    assert found.row("Best pair")
    assert any(str(run / "fold0") in text for text in found.texts)


@pytest.mark.usefixtures("_no_figures")
def test_a_grid_that_never_beats_predicting_nothing_is_said_to(tmp_path):
    maps, study = make_study.write_maps(tmp_path / "maps"), tmp_path / "study"
    make_study.write_sweeps(study, maps)
    sentence = "No cell of this grid does better than predicting nothing."
    assert sentence not in read(page.write(study, [], [], make_study.unheard)).texts
    levels = np.load(maps / "levels.npy")
    np.save(maps / "levels.npy", 10_000 - levels)
    make_study.write_sweeps(study, maps)
    assert sentence in read(page.write(study, [], [], make_study.unheard)).texts


def test_a_study_with_nothing_in_it_is_refused_and_left_alone(tmp_path):
    with pytest.raises(ValueError, match="tfptx sweep joint MAPS --out"):
        page.write(tmp_path / "study", [], [], make_study.unheard)
    assert not (tmp_path / "study").exists()
