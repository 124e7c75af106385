"""Small records for the tests of the pipeline."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from tfptx.records import build
from tfptx.scans import rle

ROWS, COLUMNS = 64, 72


def build_records(
    folder: Path,
    num_positives: int,
    num_negatives: int,
    annotated: bool = True,
    first_number: int = 0,
    patients: dict[str, str] | None = None,
    **options,
) -> Path:
    """Records of images of noise; the first `num_positives` have a rectangle as their mask.

    Images are called image00 and so on, from `first_number`; those that `patients` does not name
    are their own patients.
    """
    random = np.random.default_rng(0)
    (folder / "images").mkdir()
    rows = []
    for index in range(num_positives + num_negatives):
        name = f"image{first_number + index:02d}"
        image = random.integers(0, 256, (ROWS, COLUMNS), np.uint8)
        cv2.imwrite(str(folder / "images" / f"{name}.{('png', 'jpg')[index % 2]}"), image)
        mask = np.zeros((ROWS, COLUMNS), bool)
        if index < num_positives:
            mask[10 : 30 + index, 20 + index : 40] = True
        rows.append((name, rle.encode(mask)))
    csv = folder / "masks.csv"
    pd.DataFrame(rows, columns=["ImageId", "EncodedPixels"]).to_csv(csv, index=False)
    groups = folder / "patients.csv"
    names = [name for name, _ in rows]
    of_patient = {name: (patients or {}).get(name, name) for name in names}
    pd.DataFrame(of_patient.items(), columns=["image", "patient"]).to_csv(groups, index=False)
    build.build(
        folder / "images",
        csv if annotated else None,
        groups,
        folder / "records",
        build.Options(**{"num_folds": 3, **options}),
        lambda share: None,
    )
    return folder / "records"
