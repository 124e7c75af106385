import base64

import cv2
import numpy as np
import pandas as pd
import pytest

from tests import unfitted_run
from tests.studies.viewer.test_map_cases import layers
from tfptx.records import manifest
from tfptx.scans import rle
from tfptx.studies.viewer.record_cases import RecordCases


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    records, _ = unfitted_run.write_records(folder, test_share=0.3)
    return folder, records


def test_every_example_is_a_case_with_its_annotation_and_image(written):
    folder, records = written
    cases = RecordCases(records)
    masks = pd.read_csv(folder / "train.csv").set_index("ImageId")["EncodedPixels"].astype(str)
    assert sorted(row["id"] for row in cases.rows) == sorted(masks.index)
    assert {row["groups"]["fold"] for row in cases.rows} == {"test share", "0", "1"}
    for i, row in enumerate(cases.rows):
        case = cases.case(i)
        truth = layers(case)["truth"]
        expected = rle.decode(masks[row["id"]], case["rows"], case["columns"])
        assert (truth == expected).all()
        assert row["kind"] == ("positive" if expected.any() else "negative")
        assert row["truth"] == expected.sum()
        assert (row["mask"], row["dice"]) == (None, None)
        content = base64.b64decode(case["picture"].split(",")[1])
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        assert image.shape[:2] == (case["rows"], case["columns"])
        assert cases.picture(row["id"]) == case["picture"]
    assert cases.picture("another") is None


def test_without_annotations_there_are_images_alone(tmp_path):
    records, _ = unfitted_run.write_records(tmp_path, count=4, annotated=False)
    cases = RecordCases(records)
    assert [row["kind"] for row in cases.rows] == ["unlabelled"] * 4
    assert cases.rows[0]["truth"] is None
    assert cases.case(0)["layers"] == []


def test_a_shard_without_the_example_is_named(tmp_path):
    records, _ = unfitted_run.write_records(tmp_path, count=4)
    cases = RecordCases(records)
    shard = records / manifest.read_examples(records)["shard"].iloc[0]
    for content in (b"", shard.read_bytes()[:-9]):
        shard.write_bytes(content)
        with pytest.raises(ValueError, match="verify-records"):
            cases.case(0)
