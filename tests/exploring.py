"""What the explorer of a report shows, and what `tfptx evaluate` says of the same point."""

import json

import pytest
from click.testing import CliRunner

from tests import browser
from tfptx.cli.main import main

FIGURES = ("mean_dice", "positive_dice", "sensitivity", "specificity", "empty_share")
SHARES = ("sensitivity", "specificity", "empty_share")
OUTCOMES = ("TP", "FN", "FP", "TN")
SLIDERS = ("top", "size", "bottom")


def opened(driver, path, **context):
    """The tab of a report whose explorer is ready."""
    return browser.tab(driver, path.as_uri(), **context)


def is_ready(page):
    page.wait_for_selector("#explorer[data-ready]")


def move(page, slider, *keys):
    """Move a slider by the keyboard alone."""
    page.locator(f"#explorer-{slider}").focus()
    for key in keys:
        page.keyboard.press(key)


def settings(page):
    """What the sliders say: both thresholds and the smallest mask."""
    words = {
        name: page.locator(f"#explorer-{name}").get_attribute("aria-valuetext") for name in SLIDERS
    }
    for name, text in words.items():
        assert page.locator(f"#explorer-{name}-value").text_content() == text
    return float(words["top"]), int(words["size"].removesuffix(" px")), float(words["bottom"])


def point(page, size_px):
    """The operating point that the sliders are set to."""
    top, size, bottom = settings(page)
    if page.locator("#explorer-triplet").is_checked():
        rule = {"top_threshold": top, "area_px": size, "bottom_threshold": bottom}
    else:
        rule = {"threshold": bottom, "min_pixels": size}
    return {"schema": 1, "size_px": size_px, **rule}


def shown(page, collection):
    """The figures and counts of a collection's rows."""
    cells = page.locator(f'[data-collection="{collection}"] [data-figure]').evaluate_all(
        "cells => cells.map((cell) => [cell.dataset.figure, cell.textContent])"
    )
    return {name: number(text) for name, text in cells}


def number(text):
    if text == "n/a":
        return None
    return float(text.rstrip("% \N{NO-BREAK SPACE}")) / (100 if text.endswith("%") else 1)


def check(page, folders, size_px, where):
    """Compare what is shown of each collection with `evaluate` on its maps; files go to `where`."""
    path = where / "point.json"
    path.write_text(json.dumps(point(page, size_px)))
    for place, folder in enumerate(folders):
        arguments = ["evaluate", str(folder), "--point", str(path), "--json", "--resamples", "100"]
        result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.stderr
        expected, found = json.loads(result.stdout), shown(page, place)
        for name in FIGURES:
            digit = 5e-4 if name in SHARES else 5e-5
            assert found[name] == pytest.approx(expected[name], abs=digit + 1e-9), name
        assert found["all_empty_dice"] == pytest.approx(expected["all_empty_dice"], abs=5.1e-5)
        count, empty = expected["num_images"], expected["all_empty_dice"]
        positives = round(count * (1 - empty))
        hits = round((expected["sensitivity"] or 0) * positives)
        spared = round((expected["specificity"] or 0) * (count - positives))
        tally = (hits, positives - hits, count - positives - spared, spared)
        assert tuple(found[name] for name in OUTCOMES) == tally
