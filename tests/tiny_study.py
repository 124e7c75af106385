"""Records of a handful of phantoms, and a study that is fitted to them in seconds."""

from tests.conftest import REPOSITORY
from tfptx import config
from tfptx.records import build
from tfptx.scans.phantom import dataset

CONFIG = REPOSITORY / "tfptx" / "studies" / "demo.toml"
EPOCHS = 2
OVERRIDES = (
    f"stage.1.epochs={EPOCHS}",
    "stage.1.size_px=32",
    "stage.1.batch_size=4",
    "stage.1.unfreezing.from_epoch.stride8=1",
    "stage.1.unfreezing.from_epoch.stride4=2",
    "stage.1.unfreezing.from_epoch.stride2=2",
    "stage.1.checkpoint_every_steps=1",
    "stage.2.epochs=1",
    "stage.2.size_px=32",
    "stage.2.batch_size=4",
)


def write_records(folder, test_share=0.0):
    """Records of two folds in FOLDER/records, of the phantoms in FOLDER/set."""
    options = dataset.Options(count=16, size_px=64, prevalence=0.4, workers=2)
    dataset.write(folder / "set", options, lambda share: None)
    return _build(folder / "set", folder / "records", build.Options(2, test_share))


def divide_anew(records, out):
    """Records with other folds of the radiographs of `write_records`."""
    return _build(records.parent / "set", out, build.Options(num_folds=2, seed=1))


def _build(source, out, options):
    names = (dataset.IMAGES, dataset.ANNOTATIONS, dataset.PATIENTS)
    build.build(*(source / name for name in names), out, options, lambda share: None)
    return out


def study(*overrides):
    """The demo's study, cut down, with changes."""
    return config.read(CONFIG, OVERRIDES + overrides)
