"""This holds the paper's three experiments: backbones, then the best one's threshold and pair."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tfptx import runs
from tfptx.config import Study
from tfptx.inference.predict import predict_maps
from tfptx.operating_point import assessment, maps
from tfptx.operating_point.assessment import Assessment
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
) -> Outcome:
    """Compare backbones, sweep threshold and pair of the best one, judge the pair, write the page.

    OUT receives what `backbones.compare` writes, the sweeps as of any study, the assessment on the
    test share in OUT/test, and report.html. What stands is used; a study that was cut off goes on.
    Raises ValueError as `backbones.compare`.
    """
    table = backbones.compare(study, records, out, plan, show, announce)
    best = backbones_table.best(table)
    fitted = out / backbones_table.RUNS / best
    places = backbones.folders_of_maps(out, best, plan.folds)
    with show(f"sweep threshold and pair of {best}") as advance:
        sweeps = steps.sweeps_of(places, study.operating_point, out, advance)
    judged = None
    if any(shard.fold == TEST for shard in manifests.read(records).shards):
        with show("judge the pair on the test share") as advance:
            judged = _judge(fitted, records, out, plan.stages[-1], sweeps["joint"], advance)
    with show("write the report") as advance:
        report = page.write(out, [fitted])
        advance(1.0)
    return Outcome(table, best, sweeps, judged, report)


def _judge(
    fitted: Path, records: Path, out: Path, stage: str, found: Sweep, advance: steps.Advance
) -> Assessment:
    """Assess a point on the test share, by the mean of all folds' networks."""
    place = out / TEST_MAPS
    networks = sorted(
        runs.fingerprint(runs.finished(fitted, fold, stage)) for fold in runs.folds(fitted)
    )
    if not (place / maps.NAME).is_file() or maps.read(place).source["runs"] != networks:
        predict_maps([fitted], records, TEST, place, False, lambda share: advance(share / 2), stage)
    options = assessment.Options()
    judged = assessment.assess([place], found.point, options, lambda share: advance(share / 2))
    assessments.write(out / JUDGED, judged, found.point, [place], options)
    return judged
