"""The viewer's server, asked as a browser asks it, and in one."""

import json
import socket
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from tests import browser
from tests.studies.report import make_study
from tfptx.operating_point.tables import Point
from tfptx.studies.viewer.map_cases import MapCases
from tfptx.studies.viewer.server import Server

POINT = Point(threshold=0.5, min_pixels=20, size_px=make_study.SIDE_PX)


@contextmanager
def serving(cases):
    with Server(cases, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = make_study.write_maps(tmp_path_factory.mktemp("viewed") / "maps")
    with serving(MapCases([folder], POINT, lambda share: None)) as found:
        yield found


def status(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_only_who_knows_the_secret_gets_an_answer(server):
    assert server.server_address[0] == "127.0.0.1"
    host = f"http://127.0.0.1:{server.server_address[1]}"
    assert status(server.url) == status(f"{server.url}cases/0") == 200
    wrong = ("", "/", "/cases/0", "/guess/", "/guess/cases/0", f"/{server.secret}x/")
    assert {status(host + path) for path in wrong} == {404}
    with socket.create_connection(server.server_address, timeout=10) as raw:
        raw.sendall(b"GET anything HTTP/1.0\r\n\r\n")
        assert b" 404 " in raw.recv(1000)
    others = (
        "cases/6",
        f"cases/{'9' * 5000}",
        "cases/-1",
        "cases/one",
        "cases/%30",
        "cases/0/",
        "..",
        "maps.json",
    )
    assert {status(server.url + path) for path in others} == {404}


def test_a_case_that_can_not_be_read_is_told(tmp_path):
    class Broken:
        title, detail, rows = "broken", "", [{"id": "one"}]

        def case(self, position):
            raise ValueError("shard 3 is damaged")

    with serving(Broken()) as server:
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"{server.url}cases/0")
        with raised.value as answer:
            assert json.loads(answer.read()) == {"error": "shard 3 is damaged"}


@pytest.fixture
def page(server):
    with browser.running() as driver, browser.tab(driver, server.url) as tab:
        is_shown(tab, 0)
        yield tab
        assert tab.noted["messages"] == []
        assert all(url.startswith(server.url) for url in browser.loaded(tab))


def is_shown(page, place):
    page.wait_for_selector(f'#view-case[data-shown="{place}"]')


def listed(page):
    return page.locator("#view-list option").all_text_contents()


def test_cases_are_filtered_sorted_and_shown_by_the_keyboard(page):
    assert len(listed(page)) == 6
    page.get_by_label("outcome").select_option("FN")
    assert listed(page) == ["False negative, Dice 0.000: missed"]
    is_shown(page, 2)
    assert page.locator("[data-fact=truth]").text_content() == "81 px"
    assert page.locator("#view-count").text_content() == "1 of 6 cases"
    page.get_by_label("outcome").select_option("any")
    page.get_by_label("order").select_option("smallest annotation first")
    assert [text.split(": ")[1] for text in listed(page)][3:] == ["missed", "found", "cut"]
    page.get_by_label("order").select_option("lowest Dice first")
    assert {text.split(": ")[1] for text in listed(page)[:2]} == {"missed", "alarm"}
    page.get_by_label("order").select_option("as they come")
    page.get_by_label("sex").select_option("M")
    assert [text.split(": ")[1] for text in listed(page)] == ["cut", "alarm", "clear"]
    page.get_by_label("Cases", exact=True).focus()
    page.keyboard.press("ArrowDown")
    is_shown(page, 3)
    page.get_by_role("button", name="Next").press("Enter")
    is_shown(page, 5)
    page.get_by_role("button", name="Previous").click()
    is_shown(page, 3)
    assert page.locator("#view-canvas").get_attribute("aria-label") == "False positive: alarm"


def test_hostile_ids_are_texts(page):
    hostile = make_study.IMAGES[4][0]
    assert any(hostile in text for text in listed(page))
    page.get_by_label("outcome").select_option("TN")
    is_shown(page, 4)
    assert page.locator("[data-fact=id]").text_content() == hostile


@pytest.mark.parametrize("viewport", [browser.LAPTOP, browser.PHONE], ids=["laptop", "phone"])
def test_it_fits(server, viewport):
    with browser.running() as driver, browser.tab(driver, server.url, viewport) as tab:
        is_shown(tab, 0)
        assert tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
