import pytest
from click.testing import CliRunner

from tests.pipeline.make_records import build_records
from tfptx.cli.main import main
from tfptx.records import manifest, verify

pytest.importorskip("apache_beam", reason="Apache Beam is not installed: pip install tfptx[beam]")


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A local build, one of whose images can't be read; the images and csv lie beside it."""
    folder = tmp_path_factory.mktemp("beam")
    build_records(folder, num_positives=7, num_negatives=12).rename(folder / "readable")
    (folder / "images" / "image05.jpg").write_bytes(b"no picture")
    result = build(folder, "local", "--runner", "local")
    assert result.exit_code == 0, result.stderr
    return folder


def build(folder, out, *options):
    paths = {"images": "images", "annotations": "masks.csv", "out": out}
    given = (f"--{name}={folder / path}" for name, path in paths.items())
    return CliRunner().invoke(main, ["build-records", *given, "--folds", "3", *options])


def test_beam_writes_what_the_local_build_writes(local):
    result = build(local, "beam", "--runner", "beam")
    assert result.exit_code == 0, result.stderr
    assert verify.verify(local / "beam", lambda share: None) == []
    for path in sorted((local / "local").iterdir()):
        # Manifests name the command.
        if path.name not in {manifest.NAME, "SHA256SUMS"}:
            assert (local / "beam" / path.name).read_bytes() == path.read_bytes(), path.name
    ours, theirs = (manifest.read(local / name) for name in ("beam", "local"))
    assert ours.shards == theirs.shards
    assert ours.skipped == 1
    assert not (local / "beam.partial").exists()


def test_options_of_beam_follow_two_dashes(local):
    result = build(local, "x", "--runner", "beam", "--", "--runner=NoSuchRunner")
    assert result.exit_code == 1
    assert "NoSuchRunner" in result.stderr
    assert result.stderr.count("\n") == 1


def test_what_a_worker_refuses_is_one_line(local):
    result = build(local, "x", "--runner", "beam", "--mask-size", "8")
    assert result.exit_code == 1
    assert "do not fit" in result.stderr
    assert "--mask-size" in result.stderr
    assert result.stderr.count("\n") == 1
