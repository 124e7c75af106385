import numpy as np

from tests.conftest import REPOSITORY
from tests.training import learning
from tfptx import config, runs
from tfptx.training import checkpoints


def plan(best, cycle_ends=False):
    settings = config.read(REPOSITORY / "configs" / "resnet34.toml").plan("1")
    kept = settings.checkpoints.model_copy(update={"best": best, "cycle_ends": cycle_ends})
    rate = settings.rate.model_copy(update={"half_cycle_epochs": 1.0})
    return settings.model_copy(update={"checkpoints": kept, "rate": rate})


def rows(scores):
    return [
        {"epoch": epoch, "val_mean_dice": score, "val_positive_dice": 0.0}
        for epoch, score in enumerate(scores)
    ]


def test_the_best_epochs_are_kept_and_equals_go_to_the_earlier():
    history = rows([0.5, 0.9, 0.9, 0.7, 0.8])
    assert checkpoints.best(history, plan(2)) == [1, 2]
    assert checkpoints.best(history, plan(1)) == [1]
    assert checkpoints.best(history, plan(4)) == [1, 2, 4, 3]
    assert checkpoints.epochs(history, plan(1, cycle_ends=True)) == [1, 3]


def test_files_come_and_go_with_the_ranking(tmp_path):
    folder = runs.stage_folder(tmp_path, 0, "1")
    model = learning.network()
    kernel = model.get_layer("head").kernel
    scores, stand = [0.5, 0.7, 0.6, 0.9], []
    for epoch in range(len(scores)):
        kernel.assign(np.full(kernel.shape, float(epoch)))
        checkpoints.keep(folder, model, rows(scores[: epoch + 1]), plan(2))
        stand.append(sorted(path.name[5:8] for path in folder.checkpoints.iterdir()))
        model.load_weights(folder.best_weights)
        best = int(np.argmax(scores[: epoch + 1]))
        assert float(np.unique(kernel).item()) == best
    assert stand == [["000"], ["000", "001"], ["001", "002"], ["001", "003"]]
