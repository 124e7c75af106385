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
def maps_folder(tmp_path):
    return make_study.write_maps(tmp_path / "maps")
