"""A headless Chromium for tests of pages: skipped, with the reason, where there is none."""

import contextlib
import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@contextlib.contextmanager
def running():
    """A browser of the machine, driven by the playwright of the development extra."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no playwright: install tfptx[dev]"
    )
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser on the PATH, as {NAMES[0]}: install Debian's chromium")
    # Chromium's sandbox does not run as root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@contextlib.contextmanager
def tab(browser, url, viewport=LAPTOP, **context):
    """A page that is open, whose every request, message and error is noted in `noted`."""
    opened = browser.new_context(viewport=viewport, **context)
    page = opened.new_page()
    page.set_default_timeout(60_000)
    page.noted = {"requests": [], "messages": []}
    page.on("request", lambda request: page.noted["requests"].append(request.url))
    page.on("console", lambda message: page.noted["messages"].append(message.text))
    page.on("pageerror", lambda error: page.noted["messages"].append(str(error)))
    page.goto(url)
    yield page
    opened.close()


def loaded(page):
    """What the page asked for beside itself and the pictures within it."""
    return [
        url for url in page.noted["requests"] if url != page.url and not url.startswith("data:")
    ]
