"""This holds the shards: which examples stand in which, in what order, and their writing."""

import errno
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from tfptx import files, provenance
from tfptx.records import manifest as manifests
from tfptx.records import spool
from tfptx.records.manifest import Kind, Shard, Summary
from tfptx.records.schema import serialise

SHARD_EXAMPLES = 256  # some 30 MB of radiographs at 1024 px: enough shards to shuffle by


@dataclass(frozen=True)
class Plan:
    """A shard before it is written; its examples as positions among all entries."""

    name: str
    fold: int
    kind: Kind
    positions: tuple[int, ...]


def divide(summaries: Sequence[Summary], fold_of: Sequence[int], seed: int) -> list[Plan]:
    """Divide entries; within a fold and kind they stand in an order drawn by hash."""
    parts: dict[tuple[int, Kind], list[int]] = defaultdict(list)
    for position, (summary, fold) in enumerate(zip(summaries, fold_of, strict=True)):
        parts[fold, summary.kind].append(position)
    plans = []
    for (fold, kind), part in sorted(parts.items()):
        part.sort(key=lambda at: provenance.fingerprint([str(seed), summaries[at].image_id]))
        num_shards = -(-len(part) // SHARD_EXAMPLES)
        for index in range(num_shards):
            name = manifests.shard_name(fold, kind, index, num_shards)
            plans.append(Plan(name, fold, kind, tuple(part[index::num_shards])))
    return plans


def write(folder: Path, plan: Plan, records: Iterable[bytes]) -> Shard:
    """Write a shard, whole or not at all, from its entries' records of the spool.

    Raises OSError where the disk is full.
    """
    path = folder / plan.name
    with files.writing(path) as temporary:
        try:
            with tf.io.TFRecordWriter(str(temporary)) as writer:
                for record in records:
                    scan, mask = spool.decode(record)
                    writer.write(serialise(scan, plan.fold, mask))
        except tf.errors.ResourceExhaustedError as error:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
    return Shard(
        file=plan.name,
        fold=plan.fold,
        kind=plan.kind,
        examples=len(plan.positions),
        bytes=path.stat().st_size,
        sha256=provenance.sha256_of_file(path),
    )
