"""This holds the paper's three experiments: backbones, then the best one's threshold and pair."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tfptx import runs
from tfptx.config import Study
from tfptx.inference.networks import Manner
from tfptx.inference.predict import predict_maps
from tfptx.operating_point import assessment, maps
from tfptx.operating_point.assessment import Assessment
from tfptx.operating_point.cells import part_of
from tfptx.operating_point.grid import Kind
from tfptx.operating_point.tables import Sweep
from tfptx.records import manifest as manifests
from tfptx.scans.folds import TEST
from tfptx.studies import assessments, backbones, backbones_table, steps
from tfptx.studies.backbones import Plan
from tfptx.studies.report import page

TEST_MAPS = "maps-test"
JUDGED = "test"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a study found: the table of backbones, the best one and its sweeps, where it all lies.

    `judged` is the best pair on the test share, None where the records have none.
    """

    backbones: pd.DataFrame
    best: str
    sweeps: dict[Kind, Sweep]
    judged: Assessment | None
    report: Path


def run(
    study: Study,
    records: Path,
    out: Path,
    plan: Plan,
    show: steps.Show,
    announce: Callable[[dict[str, Any]], None],
    overwrite: bool = False,
) -> Outcome:
    """Compare backbones, sweep threshold and pair of the best one, judge the pair, write the page.

    OUT receives what `backbones.compare` writes, the sweeps as of any study, the assessment on the
    test share in OUT/test, and report.html. What stands is used; a study that was cut off goes on.
    Raises ValueError as `backbones.compare`, and where OUT holds sweeps of other maps or another
    grid, unless `overwrite`.
    """
    table = backbones.compare(study, records, out, plan, show, announce)
    best = backbones_table.best(table)
    fitted = out / backbones_table.RUNS / best
    places = backbones.folders_of_maps(out, best, plan.folds)
    with show(f"sweep threshold and pair of {best}") as advance:
        sweeps = steps.sweeps_of(places, study.operating_point, out, advance, overwrite)
    judged = None
    if any(shard.fold == TEST for shard in manifests.read(records).shards):
        with show("judge the pair on the test share") as advance:
            judged = _judge(fitted, records, out, plan, sweeps["joint"], advance)
    with show("write the report") as advance:
        report = page.write(out, [fitted], [], advance)
    return Outcome(table, best, sweeps, judged, report)


def _judge(
    fitted: Path, records: Path, out: Path, plan: Plan, swept: Sweep, advance: steps.Advance
) -> Assessment:
    """Assess a point on the test share, by the mean of the networks of the plan's folds."""
    place, stage = out / TEST_MAPS, plan.stages[-1]
    networks = sorted(runs.fingerprint(runs.finished(fitted, fold, stage)) for fold in plan.folds)
    half = part_of(advance, 1 / 2)
    if (place / maps.NAME).is_file() and maps.read(place).source["runs"] == networks:
        half(1.0)
    else:
        predict_maps(
            [fitted], records, TEST, place, Manner(), half, stage, network_folds=plan.folds
        )
    options = assessment.Options()
    judged = assessment.assess([place], swept.point, options, half)
    assessments.write(out / JUDGED, judged, swept.point, [place], options)
    return judged
