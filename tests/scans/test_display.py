import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_voi_lut

from tfptx.scans import display

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR:UserWarning")
STORED = np.arange(0, 1024, dtype=np.uint16).reshape(32, 32)


def header(**attributes):
    dataset = Dataset()
    dataset.BitsAllocated, dataset.BitsStored, dataset.PixelRepresentation = 16, 10, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def table(entries, first=0, bits=16):
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    item.add_new("LUTData", "US", list(entries))
    return [item]


def shown(stored=STORED, **attributes):
    return display.displayed(np.asarray(stored), header(**attributes))


def test_more_than_eight_bits_are_stretched_over_what_is_there():
    expected = np.rint((STORED[:16] - 0.0) * 255 / 511)
    np.testing.assert_array_equal(shown(STORED[:16]), expected)
    np.testing.assert_array_equal(
        shown(STORED[:16], PhotometricInterpretation="MONOCHROME1"), 255 - expected
    )


@pytest.mark.parametrize("bits", range(9, 17))
def test_any_number_of_bits_fills_the_display(bits):
    stored = np.array([[0, (1 << bits) - 1]], np.uint16)
    assert shown(stored, BitsStored=bits).tolist() == [[0, 255]]


def test_a_flat_image_is_black():
    assert not shown(np.full((2, 3), 700, np.uint16)).any()


def test_eight_bits_stay_as_they_are_however_they_are_rescaled():
    stored = np.array([[7, 90, 201]], np.uint8)
    eight = {"BitsAllocated": 8, "BitsStored": 8}
    slope = {"RescaleSlope": "2", "RescaleIntercept": "-1024"}
    for attributes in (eight, eight | slope):
        assert shown(stored, **attributes).tolist() == stored.tolist()
        assert display.is_identity(header(**attributes))
    signed = stored.astype(np.int16).astype(np.int8)
    assert shown(signed, **eight, PixelRepresentation=1).tolist() == [[135, 218, 73]]
    assert not display.is_identity(header(**eight, PixelRepresentation=1))
    assert not display.is_identity(header(**eight, PhotometricInterpretation="MONOCHROME1"))
    assert not display.is_identity(header(**eight, PixelPaddingValue=255))
    assert not display.is_identity(header())


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        # PS3.3, C.11.2.1.2.1, C.11.2.1.3.2 and C.11.2.1.3.1.
        ("LINEAR", lambda x: np.clip((x - 499.5) / 199 + 0.5, 0, 1)),
        ("LINEAR_EXACT", lambda x: np.clip((x - 500) / 200 + 0.5, 0, 1)),
        ("SIGMOID", lambda x: 1 / (1 + np.exp(-4 * (x - 500) / 200))),
    ],
)
def test_the_first_window_is_applied_by_its_function(function, expected):
    window = {"WindowCenter": ["500", "10"], "WindowWidth": ["200", "20"]}
    found = shown(**window, VOILUTFunction=function)
    np.testing.assert_array_equal(found, np.rint(expected(STORED.astype(float)) * 255))
    reference = apply_voi_lut(STORED, header(**window, VOILUTFunction=function)) * 255 / 1023
    np.testing.assert_allclose(found, reference, atol=0.51)


def test_a_window_of_one_level_is_a_step():
    found = shown(WindowCenter="500", WindowWidth="1")
    np.testing.assert_array_equal(found, np.where(STORED > 499.5, 255, 0))


def test_a_window_does_not_hang_on_what_the_image_holds():
    window = {"WindowCenter": "512", "WindowWidth": "1024"}
    np.testing.assert_array_equal(shown(**window)[3:9], shown(STORED[3:9], **window))


def test_rescaling_comes_before_the_window():
    found = shown(RescaleSlope="2", RescaleIntercept="-100", WindowCenter=900, WindowWidth=400)
    expected = np.clip((STORED * 2.0 - 100 - 899.5) / 399 + 0.5, 0, 1) * 255
    np.testing.assert_array_equal(found, np.rint(expected))


def test_a_modality_table_comes_before_the_window():
    squares = [x * x // 16 for x in range(1024)]
    attributes = {"ModalityLUTSequence": table(squares), "WindowCenter": 900, "WindowWidth": 400}
    expected = np.clip((np.array(squares) - 899.5) / 399 + 0.5, 0, 1) * 255
    np.testing.assert_array_equal(shown(**attributes).ravel(), np.rint(expected))


@pytest.mark.parametrize("claimed_bits", [12, 16])
def test_a_voi_table_is_preferred_and_fills_the_display_whatever_it_claims(claimed_bits):
    entries = [4095 - 4 * x for x in range(1000)]
    found = shown(VOILUTSequence=table(entries, 10, claimed_bits), WindowCenter=5, WindowWidth=10)
    # Below the first entry it holds, above the last one that (PS3.3, C.11.2.1.1).
    expected = np.array(entries)[np.clip(STORED.astype(int) - 10, 0, 999)] * 255 / 4095
    np.testing.assert_array_equal(found, np.rint(expected))


def test_padding_is_black_and_does_not_stretch():
    stored = np.array([[0, 500, 1000, 65535]], np.uint16)
    attributes = {"BitsStored": 16, "PixelPaddingValue": 65535}
    assert shown(stored, **attributes).tolist() == [[0, 128, 255, 0]]
    inverted = {**attributes, "PhotometricInterpretation": "MONOCHROME1"}
    assert shown(stored, **inverted).tolist() == [[255, 128, 0, 0]]
    ranged = {**attributes, "PixelPaddingRangeLimit": 1000}
    assert shown(stored, **ranged).tolist() == [[0, 255, 0, 0]]


@pytest.mark.parametrize("written", [-2000, 63536])
def test_signed_padding_is_known_under_either_representation(written):
    dataset = header(BitsStored=16, PixelRepresentation=1)
    dataset.add_new("PixelPaddingValue", "US" if written > 0 else "SS", written)
    stored = np.array([[-2000, -100, 100]], np.int16)
    assert display.displayed(stored, dataset).tolist() == [[0, 0, 255]]


def test_an_image_of_nothing_but_padding_is_black():
    assert not shown(np.full((2, 2), 9, np.uint16), PixelPaddingValue=9).any()


@pytest.mark.parametrize("empty", [None, ""])
def test_attributes_that_stand_empty_are_none(empty):
    names = ("WindowWidth", "WindowCenter", "RescaleSlope", "RescaleIntercept")
    np.testing.assert_array_equal(shown(**dict.fromkeys(names, empty)), shown())
    np.testing.assert_array_equal(shown(VOILUTSequence=[], ModalityLUTSequence=[]), shown())


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"WindowWidth": "4"}, "WindowWidth stands without WindowCenter"),
        ({"WindowWidth": "0", "WindowCenter": "4"}, "WindowWidth is 0, too small for a LINEAR"),
        ({"WindowWidth": "nan", "WindowCenter": "4"}, "WindowWidth is nan, not a finite number"),
        (
            {"WindowWidth": "4", "WindowCenter": "4", "VOILUTFunction": "CUBIC"},
            "VOILUTFunction is 'CUBIC'",
        ),
        ({"RescaleSlope": "0"}, "RescaleSlope is 0"),
        ({"VOILUTSequence": table([0, 0])}, "VOI LUT shows every value as black"),
    ],
)
def test_what_the_standard_does_not_allow_is_an_error(attributes, reason):
    with pytest.raises(ValueError, match=reason):
        shown(**attributes)


@pytest.mark.parametrize("block_px", [1, 7, 64, 10**9])
def test_blocks_of_rows_make_no_difference(monkeypatch, block_px):
    stored = np.random.default_rng(0).integers(-900, 3000, (13, 9)).astype(np.int16)
    attributes = {"BitsStored": 12, "PixelRepresentation": 1}
    expected = shown(stored, **attributes)
    monkeypatch.setattr(display, "BLOCK_PX", block_px)
    found = shown(stored, **attributes)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)
    share = (stored - stored.min()) / np.ptp(stored)
    np.testing.assert_array_equal(found, np.rint(255 * share.astype(float)))


@pytest.mark.parametrize(("slope", "intercept"), [(1e308, 0), (1e306, 1e308), (1, -1e300)])
def test_rescaling_beyond_any_number_is_refused(slope, intercept):
    dataset = Dataset()
    dataset.RescaleSlope, dataset.RescaleIntercept = slope, intercept
    dataset.PhotometricInterpretation, dataset.BitsStored = "MONOCHROME2", 12
    with pytest.raises(ValueError, match="fit no radiograph"):
        display.displayed(np.arange(4096).reshape(64, 64), dataset)
