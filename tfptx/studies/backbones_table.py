"""This holds the table of a backbone comparison on disk, one row an encoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tfptx import files

NAME = "backbones.csv"
RUNS = "runs"
MAPS = "maps"
SWEEPS = "sweeps"
COLUMNS = (
    "encoder",
    "parameters",
    "gflops",  # of one image at the stage's size, as the graph computes it
    "stage",
    "size_px",  # of the images that the stage was fitted on
    "num_folds",
    "num_seeds",
    "best_threshold",  # of the threshold sweep, where every mask is kept; the first seed's
    "threshold_mean_dice",  # there, as all scores that follow the mean over seeds
    "pair_threshold",  # the first seed's
    "pair_min_pixels",
    "pair_size_px",
    "nested_mean_dice",  # of pairs that were chosen without the images that they are judged on
    "nested_low",  # the ends of its 95 % interval over patients
    "nested_high",
    # The best encoder's nested mean Dice less this one's, paired. It is the best of these very
    # scores, so that what the others are behind is too much and p too small.
    "behind_best",
    "behind_best_low",
    "behind_best_high",
    "permutation_p",
    "mean_dice",  # of the best pair on the images that it was chosen on, as all that follow
    "positive_dice",
    "sensitivity",
    "specificity",
    "empty_share",
    "all_empty_dice",
    "num_images",
    "epochs",
    "seconds_per_epoch",
    "seconds_per_step",
    "peak_memory_mb",
)


def write(study: Path, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Write the table of `rows`, which have all of COLUMNS, and give it."""
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    with files.writing(study / NAME) as temporary:
        table.to_csv(temporary, index=False)
    return table


def read(study: Path) -> pd.DataFrame:
    """Read the table. Raises ValueError where there is none, or it lacks columns."""
    path = study / NAME
    if not path.is_file():
        raise ValueError(f"no {NAME} at {path}; make it with tfptx compare-backbones")
    try:
        table = pd.read_csv(path, dtype={"encoder": str, "stage": str})
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is no table ({error}); make it anew with tfptx compare-backbones"
        ) from error
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing or table.empty:
        raise ValueError(
            f"{path} has {len(table)} rows and lacks {', '.join(missing) or 'no column'}; make it "
            "anew with tfptx compare-backbones"
        )
    return table


def best(table: pd.DataFrame) -> str:
    """The encoder that comes first in `best_first`."""
    return str(best_first(table)["encoder"].iloc[0])


def best_first(table: pd.DataFrame) -> pd.DataFrame:
    """The rows by falling nested mean Dice, ties by the mean Dice and by that on positives."""
    scores = ["nested_mean_dice", "mean_dice", "positive_dice"]
    return table.sort_values(scores, ascending=False, kind="stable")
