"""This holds the tables of a sweep on disk: results, the point chosen, what they came from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from tfptx import files, provenance
from tfptx.operating_point import score
from tfptx.operating_point.grid import AXES, Grid, Kind, kind_of, rule_of
from tfptx.operating_point.rule import Rule

SCHEMA = 1
RESULTS = "results.csv"
NESTED = "nested.csv"
POINT = "point.json"
PROVENANCE = "provenance.json"


class Point(BaseModel):
    """An operating point, what it belongs to and what it scored where it was chosen.

    Only the rule's numbers are needed, as `grid.AXES` names them; a point of a paper knows no more.
    `runs` and `maps` are fingerprints; `flip`, `fused` and `overlap` say how the maps were made.
    `low` and `high` are the ends of the interval of `mean_dice`; `nested_mean_dice` is the score of
    points that were chosen without the images that they were judged on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind | None = None
    threshold: float | None = None
    min_pixels: int | None = None
    top_threshold: float | None = None
    area_px: int | None = None
    bottom_threshold: float | None = None
    fills_holes: bool | None = None
    min_component_px: int | None = None
    min_presence: float | None = None
    size_px: int
    runs: tuple[str, ...] = ()
    stage: str | None = None
    flip: bool = False
    fused: bool = False
    overlap: float | None = None
    maps: str | None = None
    num_images: int | None = None
    mean_dice: float | None = None
    low: float | None = None
    high: float | None = None
    nested_mean_dice: float | None = None
    nested_low: float | None = None
    nested_high: float | None = None
    positive_dice: float | None = None
    all_empty_dice: float | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        kind_of(self.cell)
        rule_of(self.cell, self.size_px)
        return self

    @property
    def cell(self) -> dict[str, Any]:
        """The rule's numbers by the names of the grid's axes."""
        numbers = {name: getattr(self, name) for axes in AXES.values() for name in axes}
        return {name: value for name, value in numbers.items() if value is not None}

    @property
    def rule(self) -> Rule:
        """What turns a map into a mask."""
        return rule_of(self.cell, self.size_px)

    @property
    def optimism(self) -> float | None:
        """How much better the point looks where it was chosen than where such points are judged."""
        if self.mean_dice is None or self.nested_mean_dice is None:
            return None
        return self.mean_dice - self.nested_mean_dice

    @property
    def label(self) -> str:
        """The point in words."""
        rule, size_px = self.rule, self.size_px
        if rule.top_threshold != rule.bottom_threshold:
            return (
                f"threshold {rule.bottom_threshold} where at least {rule.area_px} px at {size_px} "
                f"reach {rule.top_threshold}"
            )
        words = [f"threshold {rule.bottom_threshold}"]
        if rule.area_px:
            words.append(f"at least {rule.area_px} px at {size_px}")
        if rule.min_presence:
            words.append(f"presence of at least {rule.min_presence}")
        if rule.fills_holes:
            words.append("holes filled")
        if rule.min_component_px:
            words.append(f"components of at least {rule.min_component_px} px at {size_px}")
        return ", ".join(words)


@dataclass(frozen=True)
class Origin:
    """What a sweep follows from: its grid, the settings of choice and intervals, and the maps.

    `sources` are folder, fingerprint and num_images of each maps.
    """

    grid: Grid
    settings: dict[str, Any]
    sources: tuple[dict[str, Any], ...]

    @property
    def content(self) -> dict[str, Any]:
        """The origin as provenance.json has it."""
        return {
            "kind": self.grid.kind,
            "axes": {name: list(values) for name, values in self.grid.axes.items()},
            "size_px": self.grid.size_px,
            "settings": self.settings,
            "maps": list(self.sources),
        }


@dataclass(frozen=True)
class Sweep:
    """A sweep: one row of `results` a cell, `figures` of the one chosen, beside the all-empty line.

    `cost` is the mean cost of an image at the chosen cell, None where Dice decided.
    `choices` and `nested_dice`, N, are those of `nested.Nested`: no row where there was but one
    part, and None there and where a part has no cell that is allowed on the others.
    """

    origin: Origin
    results: pd.DataFrame
    figures: dict[str, float]
    all_empty: dict[str, float]
    cost: float | None
    point: Point
    choices: pd.DataFrame
    nested_dice: NDArray[np.float64] | None

    @property
    def kind(self) -> Kind:
        """The kind of the grid."""
        return self.origin.grid.kind

    @property
    def best_mean_dice(self) -> float:
        """That of the best cell, which need not be the one chosen."""
        return float(self.results["mean_dice"].max())

    @property
    def parts_without_choice(self) -> list[int]:
        """The parts without which no cell is allowed."""
        if self.choices.empty:
            return []
        return [int(part) for part in self.choices["part"][self.choices["judged_dice"].isna()]]


def stands(study: Path, origin: Origin) -> bool:
    """Whether the sweep of this origin stands in a study already.

    Raises ValueError where another one stands in its place.
    """
    folder = study / origin.grid.kind
    if not folder.exists() or not any(folder.iterdir()):
        return False
    if not _is_of(folder, origin):
        raise ValueError(
            f"{folder} holds the sweep of other maps or another grid; choose another --out or pass "
            "--overwrite"
        )
    return True


def write_sweep(study: Path, sweep: Sweep, overwrite: bool) -> bool:
    """Write STUDY/<kind>/, whole or not at all; False where the same sweep stands there already.

    Raises ValueError where another one does and is not to be overwritten.
    """
    if not overwrite and stands(study, sweep.origin):
        return False
    with files.writing_folder(study / sweep.kind) as temporary:
        sweep.results.to_csv(temporary / RESULTS, index=False)
        if len(sweep.choices):
            sweep.choices.to_csv(temporary / NESTED, index=False)
        write_point(temporary / POINT, sweep.point)
        content = sweep.origin.content | {"environment": provenance.environment()}
        files.write_json(temporary / PROVENANCE, {"schema": SCHEMA, **content})
    return True


def read_results(study: Path, kind: Kind) -> pd.DataFrame:
    """Read a sweep's table, one row a cell. Raises ValueError where the study has none."""
    path = _standing(study / kind / RESULTS, kind)
    try:
        table = pd.read_csv(path)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is no table ({error}); make it anew with tfptx sweep {kind} --overwrite"
        ) from error
    missing = {*AXES[kind], *score.FIGURES} - set(table.columns)
    if missing:
        raise ValueError(
            f"{path} lacks {', '.join(sorted(missing))}; make it with tfptx sweep {kind}"
        )
    return table


def read_provenance(study: Path, kind: Kind) -> dict[str, Any]:
    """Read what a sweep came from. Raises ValueError where the study has none."""
    return files.read_json(_standing(study / kind / PROVENANCE, kind), SCHEMA)


def write_point(path: Path, point: Point) -> None:
    """Write an operating point."""
    others = {name for axes in AXES.values() for name in axes} - set(point.cell)
    content = point.model_dump(mode="json", exclude=others)
    files.write_json(path, {"schema": SCHEMA, **content})


def read_point(path: Path) -> Point:
    """Read an operating point.

    Raises ValueError where there is none, or one that this version can't read or that can't be.
    """
    content = files.read_json(_standing(path, "joint"), SCHEMA)
    del content["schema"]
    try:
        return Point.model_validate(content)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise ValueError(
            f"{path} is no operating point: {where} {problem['msg']}; its keys are "
            f"{', '.join(Point.model_fields)}"
        ) from error


def _standing(path: Path, kind: str) -> Path:
    if not path.is_file():
        raise ValueError(f"no {path.name} at {path}; make it with tfptx sweep {kind}")
    return path


def _is_of(folder: Path, origin: Origin) -> bool:
    if not all((folder / name).is_file() for name in (RESULTS, POINT, PROVENANCE)):
        return False
    standing = files.read_json(folder / PROVENANCE, SCHEMA)
    return _comparable(standing) == _comparable(origin.content)


def _comparable(origin: dict[str, Any]) -> dict[str, Any]:
    """The origin without what changes no figure: the folders' names and their order."""
    fingerprints = sorted(each["fingerprint"] for each in origin["maps"])
    kept = ("kind", "axes", "size_px", "settings")
    return {key: origin.get(key) for key in kept} | {"maps": fingerprints}
