"""The page in a real browser: what it shows, what it asks for, and who can use it."""

import re

import numpy as np
import pytest

from tests import browser, exploring
from tests.operating_point import make_maps
from tests.studies.report import make_study
from tfptx.operating_point import maps, rule, score, sweep, tables
from tfptx.scans.folds import TEST
from tfptx.studies.report import page as pages

SHAPES = [(40, 32), (24, 48)] * 6
SIZE_PX = 64
AXES = {
    "threshold": {"threshold": (0.25, 0.5125, 0.75), "min_pixels": (0,)},
    "joint": {"threshold": (0.25, 0.5125, 0.75), "min_pixels": (0, 70, 600, 1300)},
    "triplet": {
        "top_threshold": (0.5, 0.9),
        "area_px": (0, 300),
        "bottom_threshold": (0.2, 0.5125),
    },
}
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    for seed, name, fold in ((0, "maps", 0), (1, "maps-test", TEST)):
        levels, truths = make_maps.draw(seed, SHAPES)
        # Fewer false pixels reach a threshold, in each image others: outcomes are of all kinds.
        pairs = enumerate(zip(levels, truths, strict=True))
        levels = [np.where(truth, each, each // (1 + i % 4)) for i, (each, truth) in pairs]
        ids = [f"{name} {i} {HOSTILE}" for i in range(len(levels))]
        make_maps.write(folder / name, levels, truths, ids, [fold] * len(levels))
    for kind, axes in AXES.items():
        found = sweep.run(kind, axes, [folder / "maps"], SIZE_PX, lambda share: None)
        tables.write_sweep(folder / "study", found, overwrite=True)
    run = make_study.write_run(folder / "run")
    pages.write(folder / "study", [run], [folder / "maps-test"], make_study.unheard)
    return folder


@pytest.fixture(scope="module")
def driver():
    with browser.running() as found:
        yield found


@pytest.fixture
def page(driver, study):
    with exploring.opened(driver, study / "study" / pages.NAME, offline=True) as tab:
        exploring.is_ready(tab)
        yield tab
        assert tab.noted["messages"] == []
        assert browser.loaded(tab) == []


def check(page, study, where):
    exploring.check(page, (study / "maps", study / "maps-test"), SIZE_PX, where)


def test_it_begins_at_the_chosen_pair_and_a_button_goes_to_each_point(page, study, tmp_path):
    for name, kind in (("Best pair", "joint"), ("Best threshold", "threshold")):
        page.get_by_role("button", name=name, exact=True).click()
        point = tables.read_point(study / "study" / kind / tables.POINT)
        assert exploring.settings(page)[1:] == (point.rule.area_px, point.rule.bottom_threshold)
        check(page, study, tmp_path)
    page.get_by_role("button", name="Best triplet").click()
    point = tables.read_point(study / "study" / "triplet" / tables.POINT).rule
    expected = (point.top_threshold, point.area_px, point.bottom_threshold)
    assert exploring.settings(page) == expected
    check(page, study, tmp_path)


def test_each_slider_moved_by_keys_shows_what_evaluate_says(page, study, tmp_path):
    seen = set()
    for slider, keys in (
        ("bottom", ["Home"]),
        ("size", ["Home", "ArrowRight"]),
        ("bottom", ["PageUp"] * 4 + ["ArrowLeft"]),
        ("size", ["PageUp"] * 3),
        ("bottom", ["End"]),
    ):
        exploring.move(page, slider, *keys)
        seen.add(exploring.settings(page)[1:])
        check(page, study, tmp_path)
    assert len(seen) == 5
    page.get_by_label("triplet").check()
    exploring.move(page, "bottom", "Home", "PageUp", "PageUp")
    exploring.move(page, "top", "End", "PageDown", "PageDown")
    exploring.move(page, "size", "Home", "PageUp")
    top, _, bottom = exploring.settings(page)
    assert bottom < top < 1
    check(page, study, tmp_path)
    # A top threshold below the bottom one is no rule.
    exploring.move(page, "top", "Home")
    assert exploring.settings(page)[0] == exploring.settings(page)[2]
    check(page, study, tmp_path)


def test_each_case_that_is_clicked_shows_its_own_numbers(page, study):
    exploring.move(page, "size", "Home", "PageUp")
    _, size, threshold = exploring.settings(page)
    cell = rule.pair(threshold, size, SIZE_PX)
    known = {}
    for name in ("maps", "maps-test"):
        opened = maps.read(study / name)
        for i, image_id in enumerate(opened.index["image_id"]):
            mask, truth = rule.mask_of_levels(opened.levels(i), cell), opened.truth(i)
            known[image_id] = (mask, truth, score.dice(mask, truth))
    buttons = page.locator(".samples button")
    assert buttons.count() > 8
    for place in range(buttons.count()):
        buttons.nth(place).click()
        assert buttons.nth(place).get_attribute("aria-pressed") == "true"
        facts = dict(
            page.locator("[data-fact]").evaluate_all(
                "cells => cells.map((cell) => [cell.dataset.fact, cell.textContent])"
            )
        )
        mask, truth, dice = known[facts["id"]]
        assert float(facts["dice"]) == pytest.approx(dice, abs=5.1e-5)
        assert facts["predicted"] == f"{mask.sum()} px"
        assert facts["truth"] == f"{truth.sum()} px"
        assert facts["overlap"] == f"{(mask & truth).sum()} px"
        is_right = "True" if mask.any() == truth.any() else "False"
        assert facts["outcome"] == f"{is_right} {'positive' if mask.any() else 'negative'}"
        assert orange(page) == mask.any()


def orange(page):
    """Whether a mask's outline is on the large canvas."""
    script = """canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        for (let i = 0; i < data.length; i += 4)
            if (data[i] === 230 && data[i + 1] === 159 && data[i + 2] === 0) return true;
        return false;
    }"""
    return page.locator("#explorer-canvas").evaluate(script)


def test_it_says_on_which_radiographs_the_point_was_chosen(page):
    rows = page.locator("[data-collection] th small").all_text_contents()
    assert "the point was chosen on these" in rows[0]
    assert "the point was not chosen on these" in rows[1]


def test_everything_that_can_be_used_has_a_name(page):
    tree = page.locator("main").aria_snapshot()
    assert re.search(r'slider "threshold"', tree)
    assert re.search(r'slider "smallest mask"', tree)
    assert re.search(r'radio "pair" \[checked\]', tree)
    assert 'checkbox "show the probability"' in tree
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("input, button, canvas[role], img, a")]
            .filter((each) => !(each.ariaLabel || each.alt || each.textContent.trim()
                || each.labels?.[0]?.textContent.trim()))
            .map((each) => each.outerHTML)"""
    )
    assert nameless == []
    page.get_by_label("show the probability").focus()
    page.keyboard.press("Space")
    assert page.get_by_label("show the probability").is_checked()
    exploring.move(page, "bottom", "ArrowRight")
    page.locator("#explorer-status", has_text="mean Dice").wait_for(state="attached")


@pytest.mark.parametrize("viewport", [browser.LAPTOP, browser.PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read_in_light_and_dark(driver, study, viewport, scheme):
    path = study / "study" / pages.NAME
    with exploring.opened(driver, path, viewport=viewport, color_scheme=scheme) as tab:
        exploring.is_ready(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        colours = tab.evaluate(
            """() => ["background", "ink", "muted", "soft"].map((name) =>
                getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim())"""
        )
        background, ink, muted, soft = map(luminance, colours)
        assert (background < 0.2) == (scheme == "dark")
        for letters in (ink, muted):
            for behind in (background, soft):
                assert contrast(letters, behind) >= 4.5  # WCAG 2.2, 1.4.3
        sources = tab.locator("picture img").evaluate_all("all => all.map((img) => img.currentSrc)")
        lights = tab.locator("picture img").evaluate_all("all => all.map((img) => img.src)")
        assert (sources == lights) == (scheme == "light")


def luminance(colour):
    """Relative luminance, WCAG 2.2."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted((one, other))
    return (high + 0.05) / (low + 0.05)


def test_printed_it_has_its_figures_and_no_controls(page):
    page.emulate_media(media="print")
    assert not page.locator("#explorer").is_visible()
    assert page.locator("picture img").first.is_visible()
    assert page.pdf().startswith(b"%PDF")


def test_counts_of_negatives_alone_have_sliders_without_cases(driver, tmp_path):
    levels, truths = make_maps.draw(0, [(32, 32)] * 3)
    truths = [np.zeros_like(truth) for truth in truths]
    maps = make_maps.write(tmp_path / "maps", levels, truths, counts_only=True)
    make_study.write_sweeps(tmp_path / "study", maps)
    path = pages.write(tmp_path / "study", [], [], make_study.unheard)
    with exploring.opened(driver, path, offline=True) as tab:
        exploring.is_ready(tab)
        assert not tab.locator("#explorer-case").is_visible()
        exploring.move(tab, "bottom", "End")
        exploring.check(tab, [tmp_path / "maps"], make_study.SIDE_PX, tmp_path)
        assert exploring.shown(tab, 0)["sensitivity"] is None
        assert tab.noted["messages"] == []


def test_without_scripts_the_rest_stands(driver, study):
    path = study / "study" / pages.NAME
    with exploring.opened(driver, path, java_script_enabled=False) as tab:
        assert not tab.locator("#explorer").is_visible()
        assert "The sliders need JavaScript" in tab.locator("noscript p").inner_text()
        assert tab.locator("picture img").first.is_visible()
