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
from tfptx.records import manifest as manifests
from tfptx.records.manifest import Kind, Manifest, Shard
from tfptx.records.schema import MaskRuns, serialise
from tfptx.scans import annotations, folds, rle, sources
from tfptx.scans.annotations import Annotations
from tfptx.scans.scan import Scan

SHARD_EXAMPLES = 256  # some 30 MB of radiographs at 1024 px: enough shards to shuffle by


@dataclass(frozen=True)
class Options:
    """How to divide the examples, and how masks are drawn.

    `mask_size_px` is the side of the square masks; None where masks have their image's size.
    """

    num_folds: int = 5
    test_share: float = 0.0
    seed: int = 0
    mask_size_px: int | None = None
    workers: int = 1


@dataclass(frozen=True)
class Entry:
    """A readable scan before it is written: where it lies, and all of it but the image's bytes."""

    path: Path
    scan: Scan
    mask: MaskRuns | None

    @property
    def kind(self) -> Kind:
        """Which shards the example belongs to."""
        if self.mask is None:
            return "unlabelled"
        return "positive" if self.mask.num_pixels else "negative"


def build(
    images: Path,
    annotations_csv: Path | None,
    groups_csv: Path | None,
    out: Path,
    options: Options,
    advance: Callable[[float], None],
) -> Manifest:
    """Write the scans under `images` as records to `out`, whole or not at all.

    `advance` is called with the share of the work that each step has done. A scan that can't be
    read or has no annotation is left out and listed in `skipped.csv`. Without `annotations_csv`
    the records are unlabelled. Patients are those of `groups_csv`, else the scans' own.
    Raises ValueError where nothing is left, a mask does not fit its image, or patients are fewer
    than folds.
    """
    annotated = None if annotations_csv is None else annotations.read(annotations_csv)
    groups = {} if groups_csv is None else folds.read_groups(groups_csv)
    paths = sources.find(images)
    if annotated is not None and not any(path.stem in annotated.rles for path in paths):
        raise ValueError(
            f"none of the {len(paths)} images under {images} has a row in {annotations_csv}: "
            f"an image is called {paths[0].stem!r}, an id {next(iter(annotated.rles), '')!r}"
        )

    if groups and not any(path.stem in groups for path in paths):
        raise ValueError(
            f"none of the {len(paths)} images under {images} has a row in {groups_csv}; its first "
            "two columns are to be image id and patient"
        )

    def examine(path: Path) -> Entry | str:
        entry = _examine(path, annotated, groups, options.mask_size_px)
        advance(0.5 / len(paths))
        return entry

    with ThreadPoolExecutor(options.workers) as pool:
        found = dict(zip(paths, pool.map(examine, paths), strict=True))
    entries = [entry for entry in found.values() if isinstance(entry, Entry)]
    skipped = [(path, entry) for path, entry in found.items() if isinstance(entry, str)]
    if not entries:
        raise ValueError(f"no image under {images} can be used: {skipped[0][0]}: {skipped[0][1]}")
    fold_of = folds.assign(
        [entry.scan.patient_id for entry in entries],
        [entry.kind == "positive" for entry in entries],
        options.num_folds,
        options.test_share,
        options.seed,
    )
    shards: dict[str, list[tuple[Entry, int]]] = _divide(entries, fold_of.tolist(), options.seed)

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
                provenance.sha256_of_file(csv) if csv else ""
                for csv in (annotations_csv, groups_csv)
            ),
            seed=options.seed,
            num_folds=options.num_folds,
            skipped=len(skipped),
            annotated_without_image=len(
                set(annotated.rles if annotated else ()) - {path.stem for path in paths}
            ),
            environment=provenance.environment(),
            shards=written,
        )
        manifests.write(folder, result)
    return result


def _examine(
    path: Path, annotated: Annotations | None, groups: dict[str, str], mask_size_px: int | None
) -> Entry | str:
    """An entry, or the reason why there is none."""
    if annotated is not None and path.stem not in annotated.rles:
        return "no annotation"
    if groups and path.stem not in groups:
        return "no row in the csv of groups"
    try:
        scan = sources.read(path)
    except (ValueError, OSError) as error:
        return str(error)
    patient_id = groups.get(scan.image_id) or scan.patient_id or scan.image_id
    scan = dataclasses.replace(scan, image=b"", patient_id=patient_id)
    if annotated is None:
        return Entry(path, scan, None)
    rows, columns = (mask_size_px or scan.rows), (mask_size_px or scan.columns)
    try:
        mask = annotated.mask(scan.image_id, rows, columns)
    except rle.PastImageError as error:
        raise ValueError(
            f"the mask of {scan.image_id} does not fit: {error}; "
            "where masks are drawn at another size than the images, name it with --mask-size"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"the mask of {scan.image_id} can't be read: {error}; correct its row in the csv"
        ) from error
    return Entry(path, scan, MaskRuns(*rle.to_runs(mask), rows, columns))


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
    folder: Path, shards: dict[str, list[tuple[Entry, int]]], skipped: list[tuple[Path, str]]
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
            "mask_rows": entry.mask.rows if entry.mask else entry.scan.rows,
            "mask_columns": entry.mask.columns if entry.mask else entry.scan.columns,
        }
        for name, content in shards.items()
        for entry, fold in content
    ]
    whole = {"mask_px": "Int64", "age": "Int64"}
    pd.DataFrame(rows).astype(whole).to_csv(folder / manifests.EXAMPLES, index=False)
    reasons = pd.DataFrame(skipped, columns=["path", "reason"])
    reasons.insert(0, "image_id", [path.stem for path, _ in skipped])
    reasons.to_csv(folder / manifests.SKIPPED, index=False)
