from pathlib import Path

import numpy as np
import pytest

from tfptx.records import division
from tfptx.records.entry import OTHER_SIZE_HINT
from tfptx.records.manifest import Summary
from tfptx.scans import folds
from tfptx.scans.codec import to_png
from tfptx.scans.scan import Scan


def summary(image_id, patient_id, mask_px=0, sample=""):
    none = {"view": "", "sex": "", "age": None, "spacing_mm": None}
    size = {"rows": 10, "columns": 10, "mask_rows": 10, "mask_columns": 10}
    return Summary(image_id, patient_id, mask_px=mask_px, sample=sample, **size, **none)


def test_equal_images_of_two_patients_never_part():
    summaries = [
        summary(f"i{at}", f"p{at}", at % 2, f"10x10 pixels {3 if at == 20 else at}")
        for at in range(40)
    ]
    scan = Scan("", to_png(np.zeros((10, 10), np.uint8)), "png", 10, 10)
    marked = division.marked_twins(summaries, lambda at: scan)
    assert [each.image_id for each in marked if each.same_pixels_as] == ["i20"]
    assert marked[20].same_pixels_as == "i3"
    for seed in range(8):
        drawn = division.draw(marked, 5, 0.2, seed)
        assert drawn[3] == drawn[20]
        assert set(drawn) == {folds.TEST, 0, 1, 2, 3, 4}


def test_more_masks_that_do_not_fit_than_that_do_are_an_error():
    summaries = [summary("a", "p", mask_px=3), summary("b", "q")]
    misfit = (Path("c.png"), f"masks.csv: line 4: a run reaches past{OTHER_SIZE_HINT}")
    division.refuse_other_size(summaries, [misfit, (Path("d.png"), "no annotation")])
    with pytest.raises(ValueError, match=r"not fit their images: 2, that do: 1\. c: .*--mask-size"):
        division.refuse_other_size(summaries, [misfit, misfit])
