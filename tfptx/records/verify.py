"""This holds the check that a records folder is what was written, and that it says one thing."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from tfptx import provenance
from tfptx.records import checksums, shard_check
from tfptx.records import manifest as manifests
from tfptx.records.manifest import Manifest, Shard

Problems = dict[str, str]  # of a file by its name


def verify(folder: Path, advance: Callable[[float], None]) -> list[str]:
    """Read every byte and decode every example, on all cores; say what is wrong, file by file.

    `advance` is called with the share of the work that each shard has done.
    Raises ValueError where there are no records, or those of another schema version.
    """
    manifest = manifests.read(folder)
    problems = _of_files(folder, manifest)
    tables = {manifests.EXAMPLES, manifests.SKIPPED}
    if tables & set(problems):
        return _lines(problems)
    try:
        table = manifests.read_examples(folder)
    except ValueError as error:
        return _lines(problems | {manifests.EXAMPLES: str(error)})
    problems = _of_tables(folder, manifest, table) | problems
    listed = dict(iter(table.groupby("shard")))
    total_bytes = sum(shard.bytes for shard in manifest.shards) or 1

    def check(shard: Shard) -> None:
        found = None
        if shard.file not in problems:
            found = shard_check.problem(
                folder / shard.file,
                shard,
                listed.get(shard.file, table[:0]),
                manifest.soft_masks,
            )
        if found:
            problems[shard.file] = found
        advance(shard.bytes / total_bytes)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(check, manifest.shards))
    return _lines(problems)


def _lines(problems: Problems) -> list[str]:
    return [f"{name}: {problems[name]}" for name in sorted(problems)]


def _of_files(folder: Path, manifest: Manifest) -> Problems:
    """What is wrong with files as such: one that is missing, changed or not of these records."""
    found = {path.name for path in folder.iterdir()} - {checksums.NAME}
    expected = {shard.file: shard.sha256 for shard in manifest.shards}
    try:
        listed = checksums.read(folder)
        expected |= {name: listed.get(name, "") for name in manifest.file_names}
        problems = {}
    except ValueError as error:
        problems = {checksums.NAME: str(error)}
    problems |= dict.fromkeys(found - manifest.file_names, "not of these records")
    problems |= dict.fromkeys(manifest.file_names - found, "missing")
    for name in found & set(expected):
        if provenance.sha256_of_file(folder / name) != expected[name]:
            problems[name] = "its bytes changed"
    for shard in manifest.shards:
        if shard.file not in problems and expected[shard.file] != shard.sha256:
            problems[shard.file] = f"{checksums.NAME} has another checksum than the manifest"
        elif shard.file not in problems and (folder / shard.file).stat().st_size != shard.bytes:
            problems[shard.file] = f"the manifest says that it has {shard.bytes} bytes"
    return problems


def _of_tables(folder: Path, manifest: Manifest, table: pd.DataFrame) -> Problems:
    """What is wrong between the manifest and the tables."""
    problems: Problems = {}
    counts = table["shard"].value_counts()
    for shard in manifest.shards:
        num_listed = int(counts.get(shard.file, 0))
        if num_listed != shard.examples:
            problems[shard.file] = (
                f"{manifests.EXAMPLES} lists {num_listed} examples, the manifest {shard.examples}"
            )
    unknown = set(counts.index) - {shard.file for shard in manifest.shards}
    if unknown:
        problems[manifests.EXAMPLES] = f"it lists {min(unknown)}, which is not of these records"
    folds_of = table.groupby("patient_id")["fold"].nunique()
    # Folds that were given may part a patient; `info` tells how many.
    if (folds_of > 1).any() and not manifest.folds_given:
        problems[manifests.EXAMPLES] = f"patient {folds_of.idxmax()} is in {folds_of.max()} folds"
    if table["image_id"].duplicated().any():
        repeated = table["image_id"][table["image_id"].duplicated()].iloc[0]
        problems[manifests.EXAMPLES] = f"image {repeated} stands there twice"
    twins = table["same_pixels_as"][table["same_pixels_as"] != ""]
    if not twins.isin(table["image_id"]).all():
        problems[manifests.EXAMPLES] = "an image has the pixels of one that is not there"
    if (num_folds := table["fold"].max() + 1) != manifest.num_folds:
        problems[manifests.NAME] = (
            f"it says {manifest.num_folds} folds, {manifests.EXAMPLES} has {num_folds}"
        )
    try:
        num_skipped = manifests.count_skipped(folder)
        if num_skipped != manifest.skipped:
            problems[manifests.SKIPPED] = (
                f"it lists {num_skipped} scans that were left out, the manifest {manifest.skipped}"
            )
    except ValueError as error:
        problems[manifests.SKIPPED] = str(error)
    return problems
