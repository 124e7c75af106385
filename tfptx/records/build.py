"""This holds the build: scans and annotations in, a folder of sharded records out."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import tensorflow as tf

from tfptx import files, provenance
from tfptx.records import division, examination
from tfptx.records import manifest as manifests
from tfptx.records.examination import Entry, Skipped
from tfptx.records.manifest import Kind, Manifest, Shard
from tfptx.records.schema import serialise
from tfptx.scans import sources

SHARD_EXAMPLES = 256  # some 30 MB of radiographs at 1024 px: enough shards to shuffle by


@dataclass(frozen=True)
class Options:
    """How to divide the examples, and how masks are drawn.

    `mask_size_px` is the side of the square masks; None where masks have their image's size.
    `folds_csv` gives the folds in place of a draw. `is_strict` makes an annotation with a fault, or
    with anything odd, an error.
    """

    num_folds: int = 5
    test_share: float = 0.0
    seed: int = 0
    mask_size_px: int | None = None
    workers: int = 1
    folds_csv: Path | None = None
    is_strict: bool = False


def build(
    images: Path,
    annotations_path: Path | None,
    groups_csv: Path | None,
    out: Path,
    options: Options,
    advance: Callable[[float], None],
) -> Manifest:
    """Write the scans under `images` as records to `out`, whole or not at all.

    `annotations_path` is a csv of run lengths or a folder of PNG masks. `advance` is called with
    the share of the work that each step has done. A scan that can't be read, or has no annotation
    or a faulty one, is left out and listed in `skipped.csv`. Without `annotations_path` the records
    are unlabelled. Patients are those of `groups_csv`, else the scans' own.
    Raises ValueError where nothing is left, masks seem to be of another size than their images, or
    patients are fewer than folds.
    """
    inputs = examination.read_inputs(annotations_path, groups_csv, options.folds_csv)
    paths = sources.find(images)
    for ids, csv in (
        (inputs.annotated and inputs.annotated.ids, annotations_path),
        (inputs.groups, groups_csv),
        (inputs.folds, options.folds_csv),
    ):
        if csv and not any(path.stem in (ids or ()) for path in paths):
            raise ValueError(
                f"none of the {len(paths)} images under {images} has a row in {csv}: "
                f"an image is called {paths[0].stem!r}, an id {next(iter(ids or ()), '')!r}"
            )

    def examine(path: Path) -> Entry | Skipped:
        entry = examination.examine(path, inputs, options.mask_size_px, options.is_strict)
        advance(0.5 / len(paths))
        return entry

    with ThreadPoolExecutor(options.workers) as pool:
        found = dict(zip(paths, pool.map(examine, paths), strict=True))
    entries = [entry for entry in found.values() if isinstance(entry, Entry)]
    skipped = {path: entry for path, entry in found.items() if isinstance(entry, Skipped)}
    examination.refuse_other_size(entries, skipped)
    if not entries:
        path, first = next(iter(skipped.items()))
        raise ValueError(f"no image under {images} can be used: {path}: {first.reason}")
    entries = division.marked_twins(entries)
    if inputs.folds:
        fold_of = [inputs.folds[entry.scan.image_id] for entry in entries]
    else:
        fold_of = division.draw(entries, options.num_folds, options.test_share, options.seed)
    shards: dict[str, list[tuple[Entry, int]]] = _divide(entries, fold_of, options.seed)

    with files.writing_folder(out) as folder:

        def write(name: str) -> Shard:
            shard = _write_shard(folder / name, shards[name])
            advance(0.5 * len(shards[name]) / len(entries))
            return shard

        with ThreadPoolExecutor(options.workers) as pool:
            written = tuple(pool.map(write, shards))
        _write_tables(folder, shards, skipped)
        result = Manifest(
            schema_version=manifests.SCHEMA,
            source_fingerprint=provenance.fingerprint(
                examination.fingerprint(path) if path else ""
                for path in (annotations_path, groups_csv, options.folds_csv)
            ),
            seed=options.seed,
            num_folds=max(fold_of) + 1,
            skipped=len(skipped),
            annotated_without_image=len(
                set(inputs.annotated.ids if inputs.annotated else ())
                - {path.stem for path in paths}
            ),
            environment=provenance.environment(),
            shards=written,
        )
        manifests.write(folder, result)
    return result


def _divide(
    entries: list[Entry], fold_of: list[int], seed: int
) -> dict[str, list[tuple[Entry, int]]]:
    """Shard name to entries with their folds; within a fold and kind in an order drawn by hash."""
    parts: dict[tuple[int, Kind], list[Entry]] = defaultdict(list)
    for entry, fold in zip(entries, fold_of, strict=True):
        parts[fold, entry.kind].append(entry)
    shards = {}
    for (fold, kind), part in sorted(parts.items(), key=lambda item: item[0]):
        part.sort(key=lambda entry: provenance.fingerprint([str(seed), entry.scan.image_id]))
        num_shards = -(-len(part) // SHARD_EXAMPLES)
        for index in range(num_shards):
            name = manifests.shard_name(fold, kind, index, num_shards)
            shards[name] = [(entry, fold) for entry in part[index::num_shards]]
    return shards


def _write_shard(path: Path, content: list[tuple[Entry, int]]) -> Shard:
    with tf.io.TFRecordWriter(str(path)) as writer:
        for entry, fold in content:
            scan = sources.read(entry.path)
            labelled = dataclasses.replace(scan, patient_id=entry.scan.patient_id)
            writer.write(serialise(labelled, fold, entry.mask))
    entry, fold = content[0]
    return Shard(
        file=path.name,
        fold=fold,
        kind=entry.kind,
        examples=len(content),
        bytes=path.stat().st_size,
        sha256=provenance.sha256_of_file(path),
    )


def _write_tables(
    folder: Path, shards: dict[str, list[tuple[Entry, int]]], skipped: dict[Path, Skipped]
) -> None:
    rows = [
        {
            "image_id": entry.scan.image_id,
            "patient_id": entry.scan.patient_id,
            "fold": fold,
            "shard": name,
            "rows": entry.scan.rows,
            "columns": entry.scan.columns,
            "positive": int(entry.kind == "positive"),
            "mask_px": entry.mask.num_pixels if entry.mask else None,
            "view": entry.scan.view,
            "sex": entry.scan.sex,
            "age": entry.scan.age,
            "spacing_mm": entry.scan.spacing_mm,
            "pixel_aspect": entry.scan.pixel_aspect,
            "same_pixels_as": entry.same_pixels_as,
            "annotation_note": entry.note,
            "mask_rows": entry.mask.rows if entry.mask else entry.scan.rows,
            "mask_columns": entry.mask.columns if entry.mask else entry.scan.columns,
        }
        for name, content in shards.items()
        for entry, fold in content
    ]
    whole = {"mask_px": "Int64", "age": "Int64"}
    pd.DataFrame(rows).astype(whole).to_csv(folder / manifests.EXAMPLES, index=False)
    reasons = pd.DataFrame(
        [(path.stem, path, each.reason) for path, each in skipped.items()],
        columns=["image_id", "path", "reason"],
    )
    reasons.to_csv(folder / manifests.SKIPPED, index=False)
