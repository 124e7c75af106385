"""This holds the writing of a mask as a DICOM Segmentation that refers to its radiograph."""

import logging
from pathlib import Path

import highdicom as hd
import numpy as np
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentationTypeValues, SegmentDescription
from highdicom.sr import CodedConcept
from numpy.typing import NDArray

from tfptx import files, provenance
from tfptx.scans import dicom_reference, uids
from tfptx.scans.intake import File
from tfptx.serving.model_identity import ModelIdentity

# It would write the names of patients that it finds odd to stderr.
logging.getLogger("highdicom").addHandler(logging.NullHandler())

MANUFACTURER = "tfptx"
LABEL = "PNEUMOTHORAX"
PNEUMOTHORAX = CodedConcept("36118008", "SCT", "Pneumothorax")
CATEGORY = CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure")
FAMILY = CodedConcept("123110", "DCM", "Artificial Intelligence")
SERIES_NUMBER = 9300  # beyond those of modalities
# A projection has no slices, but readers, highdicom's too, ask for their thickness.
NOMINAL_THICKNESS_MM = 1.0


def write(
    path: Path,
    source: File,
    mask: NDArray[np.bool_],
    model: ModelIdentity,
    generate_uids: bool = False,
) -> None:
    """Write a mask, rows x columns of the radiograph `source`, as Segmentation (PS3.3, A.51).

    Its UIDs follow from the radiograph's and the model's, so that doing it again makes no second
    object. Where the radiograph tells no spacing there is none here.
    Raises ValueError where the radiograph is no DICOM or has no valid UIDs, and `generate_uids`
    does not allow others, or an attribute can't be taken over.
    """
    try:
        _write(path, source, mask, model, generate_uids)
    except (ValueError, OSError):
        raise
    except Exception as error:  # a hostile attribute can raise anything where it is taken over
        raise ValueError(f"an attribute can't be taken over ({type(error).__name__})") from error


def _write(
    path: Path,
    source: File,
    mask: NDArray[np.bool_],
    model: ModelIdentity,
    generate_uids: bool,
) -> None:
    radiograph = dicom_reference.reference(source.path, source.image_id, generate_uids)
    spacing = radiograph.get("PixelSpacing")
    measures = hd.PixelMeasuresSequence(spacing or [1, 1], NOMINAL_THICKNESS_MM)
    if spacing is None:
        del measures[0].PixelSpacing
    # It takes a name that is one word for an odd one.
    patient_name, radiograph.PatientName = radiograph.PatientName, None
    name = f"{radiograph.SOPInstanceUID}/{model.fingerprint}"
    segmentation = hd.seg.Segmentation(
        [radiograph],
        mask[np.newaxis].astype(np.uint8),
        SegmentationTypeValues.BINARY,
        [_segment(model)],
        series_instance_uid=uids.of_name(f"segmentation series/{name}"),
        series_number=SERIES_NUMBER,
        sop_instance_uid=uids.of_name(f"segmentation/{name}"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=model.name,
        software_versions=str(provenance.version("tfptx")),
        device_serial_number=provenance.short(model.fingerprint),
        pixel_measures=measures,
        content_label=LABEL,
        content_description="Pneumothorax, outlined by a network; no medical device",
        series_description=f"Pneumothorax, {model.name}",
        omit_empty_frames=False,
    )
    segmentation.PatientName = patient_name
    # Required, empty where it is unknown, of an image without a position in space (C.7.6.1.1.1).
    segmentation.PatientOrientation = radiograph.get("PatientOrientation") or None
    with files.writing(path) as temporary:
        segmentation.save_as(temporary)


def _segment(model: ModelIdentity) -> SegmentDescription:
    algorithm = hd.AlgorithmIdentificationSequence(
        name=model.name,
        family=FAMILY,
        version=model.version,
        parameters={"fingerprint": provenance.short(model.fingerprint)},
    )
    return SegmentDescription(
        1,
        "Pneumothorax",
        CATEGORY,
        PNEUMOTHORAX,
        SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
    )
