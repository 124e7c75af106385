from tests.conftest import REPOSITORY
from tfptx.records import manifest, schema


def test_the_format_page_names_every_feature():
    page = (REPOSITORY / "tfrecords" / "README.md").read_text()
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| `")]
    assert rows == [f"`{name}`" for name in schema.FEATURES]
    assert f"# The record format, schema {manifest.SCHEMA}" in page
