"""This holds a whole set of phantoms: who is in it, and its files in the competition's form."""

import csv
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfptx import files
from tfptx.scans import rle, uids
from tfptx.scans.phantom import case, dicom_file
from tfptx.scans.phantom.anatomy import Anatomy, Side, draw_anatomy
from tfptx.scans.phantom.projection import SIDES

IMAGES = "dicom-images-train"
ANNOTATIONS = "train-rle.csv"
PATIENTS = "patients.csv"
ANNOTATION_COLUMNS = ("ImageId", "EncodedPixels")
PATIENT_COLUMNS = ("image_id", "patient_id", "drain", "mask_px")
MAX_IMAGES_PER_PATIENT = 4
PATIENT_STREAM, IMAGE_STREAM, SET_STREAM = range(3)  # independent streams of one seed


@dataclass(frozen=True)
class Options:
    """How many images of which size, and the share of them with a pneumothorax."""

    count: int
    size_px: int = 1024
    prevalence: float = 0.22
    seed: int = 0
    workers: int = 1


@dataclass(frozen=True)
class Entry:
    """One image of the set, before it is drawn; `number` counts a patient's images from 1."""

    index: int
    patient_id: str
    number: int
    anatomy: Anatomy
    side: Side
    positive: bool


@dataclass(frozen=True)
class Row:
    """One image of the set, as its csv files tell it."""

    image_id: str
    patient_id: str
    drain: bool
    mask_px: int
    encoded_pixels: str


def plan(options: Options) -> list[Entry]:
    """Say who is in the set: exactly round(count x prevalence) positives, 1 to 4 images a patient.

    Raises ValueError where there is no image to draw.
    """
    if options.count < 1 or options.size_px < 1:
        raise ValueError(
            f"{options.count} images of {options.size_px} pixels can't be drawn; ask for 1 or more"
        )
    if not 0 <= options.prevalence <= 1:
        raise ValueError(f"a prevalence is a share from 0 to 1, got {options.prevalence}")
    random = np.random.default_rng([options.seed, SET_STREAM])
    num_positives = round(options.count * options.prevalence)
    positives = set(random.permutation(options.count)[:num_positives].tolist())
    entries: list[Entry] = []
    while len(entries) < options.count:
        patient = len({entry.patient_id for entry in entries})
        own = np.random.default_rng([options.seed, PATIENT_STREAM, patient])
        anatomy, side = draw_anatomy(own), SIDES[int(own.integers(2))]
        for number in range(1, int(own.integers(1, MAX_IMAGES_PER_PATIENT + 1)) + 1):
            index = len(entries)
            if index < options.count:
                patient_id = f"phantom-{options.seed}-{patient:05d}"
                entries.append(Entry(index, patient_id, number, anatomy, side, index in positives))
    return entries


def write(out: Path, options: Options, advance: Callable[[float], None]) -> list[Row]:
    """Write the set to the folder `out`, which appears whole or not at all; rows as in its csv.

    `advance` is called with each finished share of the work. The bytes do not depend on `workers`.
    Raises ValueError as `plan` does.
    """
    entries = plan(options)
    with files.writing_folder(out) as folder, ThreadPoolExecutor(options.workers) as pool:
        rows = []
        for row in pool.map(lambda entry: _write_image(folder / IMAGES, entry, options), entries):
            rows.append(row)
            advance(1 / len(entries))
        _write_csv(
            folder / ANNOTATIONS,
            ANNOTATION_COLUMNS,
            [(row.image_id, row.encoded_pixels) for row in rows],
        )
        _write_csv(
            folder / PATIENTS,
            PATIENT_COLUMNS,
            [(row.image_id, row.patient_id, int(row.drain), row.mask_px) for row in rows],
        )
    return rows


def _write_image(folder: Path, entry: Entry, options: Options) -> Row:
    random = np.random.default_rng([options.seed, IMAGE_STREAM, entry.index])
    phantom = case.draw(entry.anatomy, entry.side, entry.positive, options.size_px, random)
    name = f"{options.seed}/{options.count}/{options.size_px}/{options.prevalence}/{entry.index}"
    study, series, image = (uids.of_name(f"{kind}/{name}") for kind in ("study", "series", "image"))
    header = dicom_file.Header(
        study_uid=study,
        series_uid=series,
        image_uid=image,
        patient_id=entry.patient_id,
        sex=entry.anatomy.sex,
        age=entry.anatomy.age,
        view=phantom.posture.view,
        spacing_mm=phantom.posture.side_mm / options.size_px,
        number=entry.number,
    )
    dicom_file.write(folder / study / series / f"{image}.dcm", phantom.image, header)
    mask_px = int(phantom.truth.sum())
    return Row(image, entry.patient_id, phantom.has_drain, mask_px, rle.encode(phantom.truth))


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])
