"""Files that claim more than they hold, predicted by a process whose memory is looked at."""

import json
import subprocess
import sys
import zlib

import pandas as pd
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.conftest import REPOSITORY
from tests.scans import make_dicom
from tests.scans.test_dicom_claims import encapsulated, j2k_header
from tests.serving import threshold_model

MEBIBYTE = 2**20
PREFIX_BYTES = 132
NESTED = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"


def with_meta(path, syntax, content):
    """A file of valid meta information, and of any bytes as its dataset."""
    made = pydicom.dcmread(make_dicom.write(path))
    made.file_meta.TransferSyntaxUID = syntax
    with path.open("wb") as file:
        file.write(bytes(128) + b"DICM")
        pydicom.filewriter.write_file_meta_info(file, made.file_meta)
        file.write(content)


def deflated_zeros(num_mebibytes):
    deflater = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    blocks = [deflater.compress(bytes(MEBIBYTE)) for _ in range(num_mebibytes)]
    return b"".join([*blocks, deflater.flush()])


@pytest.fixture
def hostile(tmp_path):
    """One radiograph among files that each take gigabytes where they are believed."""
    folder = tmp_path / "scans"
    make_dicom.write(folder / "good.dcm")
    element = b"\x08\x00\x08\x00UT\x00\x00\xfd\xff\xff\xff"  # of four gigabytes
    plain = pydicom.uid.ExplicitVRLittleEndian
    with_meta(folder / "inflates.dcm", DeflatedExplicitVRLittleEndian, deflated_zeros(600))
    with_meta(folder / "long.dcm", plain, element + b"short")
    with_meta(folder / "nested.dcm", plain, NESTED * 20_000)
    encapsulated(
        folder / "j2k.dcm", pydicom.uid.JPEG2000Lossless, j2k_header(60_000, 60_000), 64, 96
    )
    make_dicom.write(folder / "rows.dcm", Rows=65_535, Columns=65_535)
    make_dicom.write(folder / "frames.dcm", NumberOfFrames="99999999")
    claim = (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00\x00\xff\xff" * 2 + b"\x08\x00\x00\x00\x00"
    )
    (folder / "claims.png").write_bytes(claim + bytes(50))
    (folder / "claims.jpg").write_bytes(
        b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00" + bytes(50)
    )
    with (folder / "sparse.dcm").open("wb") as file:
        file.seek(8 * 1024 * MEBIBYTE)
        file.write(b"x")
    return folder


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_no_file_takes_the_memory_that_it_claims(hostile, tmp_path):
    export, out = threshold_model.write(tmp_path / "export"), tmp_path / "out"
    arguments = [sys.executable, "-m", "tests.serving.threshold_model", export, hostile, out]
    done = subprocess.run(arguments, cwd=REPOSITORY, check=True, timeout=120, capture_output=True)
    # The kibibytes of a process that has read nothing are half of these.
    assert int(done.stdout) < 300 * 1024
    assert json.loads((out / "predictions.json").read_text())["counts"]["predicted"] == 1
    found = pd.read_csv(out / "findings.csv", index_col="image_id")["error"].dropna().to_dict()
    skipped = pd.read_csv(out / "skipped.csv", index_col="path")["reason"].to_dict()
    assert "more than any detector" in found["rows"]
    assert "99999999 frames" in found["frames"]
    assert "(60000, 60000)" in found["j2k"]
    assert "inflate to more than" in found["inflates"]
    assert "bytes are more than any radiograph's" in found["sparse"]
    assert len(found) + len(skipped) == 9
    assert {"claims.png", "claims.jpg"} <= set(found) | set(skipped)
