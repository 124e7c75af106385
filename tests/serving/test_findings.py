import csv

from tfptx.serving import findings
from tfptx.serving.findings import Finding


def test_what_is_not_known_is_an_empty_cell_and_no_cell_a_formula(tmp_path):
    rows = [
        Finding("a", "x/a.dcm", True, 12, 0.5, 0.75, None, "segmentations/a.dcm"),
        Finding("=1+1", "@sum.dcm", error="-2\nlines"),
        Finding("b", decision=False, mask_px=0, area_mm2=0.0, largest_probability=1e-05),
    ]
    findings.write(tmp_path / "findings.csv", rows)
    with (tmp_path / "findings.csv").open(newline="") as file:
        header, one, two, three = csv.reader(file)
    assert one == ["a", "x/a.dcm", "1", "12", "0.5", "0.75", "", "segmentations/a.dcm", ""]
    assert dict(zip(header, two, strict=True)) == dict.fromkeys(header, "") | {
        "image_id": "'=1+1",
        "path": "'@sum.dcm",
        "error": "'-2 lines",
    }
    assert three[2:6] == ["0", "0", "0.0", "1e-05"]
