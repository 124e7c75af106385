"""This holds the tables of a sweep on disk: results, the point chosen, what they came from."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from tfptx import files, provenance
from tfptx.operating_point import rule, score
from tfptx.operating_point.grid import Grid

SCHEMA = 1
RESULTS = "results.csv"
POINT = "point.json"
PROVENANCE = "provenance.json"

Kind = Literal["threshold", "joint"]


class Point(BaseModel):
    """An operating point, what it belongs to and what it scored where it was chosen.

    Only the rule's three numbers are needed; a point of a paper knows no more. `runs` and `maps`
    are fingerprints.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind | None = None
    threshold: float
    min_pixels: int
    size_px: int
    runs: tuple[str, ...] = ()
    stage: str | None = None
    flip: bool = False
    maps: str | None = None
    mean_dice: float | None = None
    positive_dice: float | None = None
    all_empty_dice: float | None = None
    num_images: int | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        rule.Pair(self.threshold, self.min_pixels, self.size_px)
        return self

    @property
    def pair(self) -> rule.Pair:
        """What turns a map into a mask."""
        return rule.Pair(self.threshold, self.min_pixels, self.size_px)

    @property
    def label(self) -> str:
        """The point in words."""
        size = f", at least {self.min_pixels} px at {self.size_px}" if self.min_pixels else ""
        return f"threshold {self.threshold}{size}"


@dataclass(frozen=True)
class Sweep:
    """A sweep: one row of `results` a cell, `figures` of the one chosen, beside the all-empty line.

    `sources` are folder, fingerprint and num_images of each maps.
    """

    kind: Kind
    results: pd.DataFrame
    figures: dict[str, float]
    all_empty: dict[str, float]
    point: Point
    grid: Grid
    sources: tuple[dict[str, Any], ...]


def write_sweep(study: Path, sweep: Sweep, overwrite: bool) -> bool:
    """Write STUDY/<kind>/, whole or not at all; False where the same sweep stands there already.

    Raises ValueError where another one does and is not to be overwritten.
    """
    folder = study / sweep.kind
    if folder.exists() and not overwrite:
        if _is_same(folder, sweep):
            return False
        raise ValueError(
            f"{folder} holds the sweep of other maps or another grid; choose another --out or pass "
            "--overwrite"
        )
    with files.writing_folder(folder) as temporary:
        sweep.results.to_csv(temporary / RESULTS, index=False)
        write_point(temporary / POINT, sweep.point)
        content = _origin(sweep) | {"environment": provenance.environment()}
        files.write_json(temporary / PROVENANCE, {"schema": SCHEMA, **content})
    return True


def read_results(study: Path, kind: Kind) -> pd.DataFrame:
    """Read a sweep's table, one row a cell. Raises ValueError where the study has none."""
    path = _standing(study / kind / RESULTS, kind)
    table = pd.read_csv(path)
    missing = {"threshold", "min_pixels", *score.FIGURES} - set(table.columns)
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
    files.write_json(path, {"schema": SCHEMA, **point.model_dump(mode="json")})


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


def _origin(sweep: Sweep) -> dict[str, Any]:
    """What the figures follow from, as provenance.json has it."""
    grid = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(sweep.grid).items()}
    return {"kind": sweep.kind, **grid, "maps": list(sweep.sources)}


def _is_same(folder: Path, sweep: Sweep) -> bool:
    if not all((folder / name).is_file() for name in (RESULTS, POINT, PROVENANCE)):
        return False
    found = files.read_json(folder / PROVENANCE, SCHEMA)
    return _comparable(found) == _comparable(_origin(sweep))


def _comparable(origin: dict[str, Any]) -> dict[str, Any]:
    """The origin without what changes no figure: the folders' names and their order."""
    fingerprints = sorted(each["fingerprint"] for each in origin["maps"])
    kept = ("kind", "thresholds", "min_pixels", "size_px")
    return {key: origin[key] for key in kept} | {"maps": fingerprints}
