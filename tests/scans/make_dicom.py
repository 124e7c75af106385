"""A small chest radiograph as DICOM, with valid UIDs and a bright spot, and changes to it."""

import numpy as np
import pydicom

from tfptx.scans import uids
from tfptx.scans.phantom import dicom_file

SHAPE = (64, 96)
SPOT = (slice(20, 50), slice(30, 60))
REMOVED = object()


def write(path, spot=SPOT, level=220, **attributes):
    """Write a radiograph of UIDs that its path's name gives; REMOVED takes an attribute away."""
    image = np.full(SHAPE, 40, np.uint8)
    image[spot] = level
    study, series, instance = (uids.of_name(f"{kind}{path.name}") for kind in "abc")
    header = dicom_file.Header(study, series, instance, "Doe^Jane", "F", 41, "PA", 0.15, 1)
    dicom_file.write(path, image, header)
    if attributes:
        change(path, **attributes)
    return path


def change(path, **attributes):
    """Change attributes of a file, to values that the standard does not know too."""
    dataset = pydicom.dcmread(path)
    for name, value in attributes.items():
        if value is REMOVED:
            if name in dataset:
                del dataset[name]
        else:
            setattr(dataset, name, value)
            if name == "SOPClassUID":
                dataset.file_meta.MediaStorageSOPClassUID = value
    dataset.save_as(path)
