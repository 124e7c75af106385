import pytest

from tests.conftest import REPOSITORY
from tfptx import config

STUDIES = sorted((REPOSITORY / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_shipped_study_reads_and_resolves_to_itself(path, tmp_path):
    study = config.read(path)
    assert study.name == path.stem
    assert study.network.encoder == path.stem.partition("_")[0]
    assert study.stage["2"].size_px == 2 * study.stage["1"].size_px
    resolved = tmp_path / "config.toml"
    resolved.write_text(config.to_toml(study))
    assert config.read(resolved) == study


def test_an_override_changes_one_value():
    study = config.read(STUDIES[0], ("stage.2.epochs=3", "network.encoder_weights=random"))
    assert study.stage["2"].epochs == 3
    assert study.network.encoder_weights == "random"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stage.1.epoch=3", "unknown key stage.1.epoch; allowed there: size_px, precision"),
        ("stage.1.epochs=0", "stage.1.epochs"),
        ("stage.1.epochs=many", "stage.1.epochs"),
        ("stage.1.size_px=500", "stage.1.size_px"),
        ("network.encoder=vgg", "'resnet18', 'resnet34', .* or 'efficientnetb5'"),
        ("stage.1.rate.smallest=1", "smallest 1.0 is above largest|smallest"),
        ("epochs", "--set takes key=value"),
        ("name.first=a", "name is a value, not a table"),
    ],
)
def test_a_wrong_override_names_the_key(override, message):
    with pytest.raises(ValueError, match=message):
        config.read(STUDIES[0], (override,))


def test_a_missing_file_or_key_is_named(tmp_path):
    with pytest.raises(ValueError, match="no config at"):
        config.read(tmp_path / "none.toml")
    path = tmp_path / "short.toml"
    path.write_text('name = "short"\n')
    with pytest.raises(ValueError, match=r"short\.toml: missing key seed"):
        config.read(path)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ("network.heads=['presence']",),
            "the last phase of stage 1 does not train; give presence",
        ),
        (
            (
                "stage.1.curriculum=[{from_epoch=0,ramp_epochs=0,weights={weighted_bce=1.0,distance_l1=1.0}}]",
            ),
            "stage 1 has the loss distance_l1, network.heads has no 'distance'",
        ),
        (("network.heads=['presence', 'presence']",), "name one twice"),
        (
            ("stage.1.curriculum=[{from_epoch=0,ramp_epochs=0,weights={presence_bce=1.0}}]",),
            "from epoch 0 gives no loss of the mask a weight above 0",
        ),
        (("stage.2.xla=true",), "xla is true in one stage and false in another"),
        (
            ("stage.1.rate.schedule=constant", "stage.1.checkpoints.cycle_ends=true"),
            "a constant rate has no cycles",
        ),
        (("stage.1.rate.largest=inf",), "stage.1.rate.largest"),
    ],
)
def test_what_does_not_go_together_is_refused(overrides, message):
    with pytest.raises(ValueError, match=message):
        config.read(REPOSITORY / "configs" / "resnet34.toml", overrides)
