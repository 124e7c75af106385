import pytest

from tests.studies.report import make_study
from tfptx.studies.report import theme


@pytest.fixture(autouse=True, scope="session")
def _coarse_figures():
    """Figures are drawn in all their parts, but quickly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theme, "DPI", 30)
        yield


@pytest.fixture
def _no_figures(monkeypatch):
    """Figures are files of no content: for tests of words, as each takes most of a second."""

    def save(folder, name, height_inches, draw):
        for file in (*(theme.file_name(name, each) for each in theme.THEMES), f"{name}.svg"):
            (folder / file).write_bytes(b"\x89PNG\r\n\x1a\n")

    monkeypatch.setattr(theme, "save", save)


@pytest.fixture
def maps_folder(tmp_path):
    return make_study.write_maps(tmp_path / "maps")
