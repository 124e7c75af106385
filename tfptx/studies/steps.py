"""This holds the steps that studies share, each of which leaves finished work as it is."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tfptx import config, runs
from tfptx.inference.networks import Manner
from tfptx.inference.predict import predict_maps
from tfptx.operating_point import grid, maps, sweep, tables
from tfptx.operating_point.grid import Kind
from tfptx.operating_point.tables import Origin, Sweep
from tfptx.runs import StageFolder

Advance = Callable[[float], None]
Show = Callable[[str], AbstractContextManager[Advance]]  # opens the progress of a named step


def maps_of(
    folder: StageFolder, run: Path, records: Path, fold: int, out: Path, advance: Advance
) -> Path:
    """Write the probability maps of a fold or the test share by the network of a finished stage."""
    stands = (out / maps.NAME).is_file()
    if stands and maps.read(out).source["runs"] == [runs.fingerprint(folder)]:
        advance(1.0)
        return out
    predict_maps([run], records, fold, out, Manner(), advance, folder.stage)
    return out


def sweeps_of(
    folders: Sequence[Path], cells: config.Grid, out: Path, advance: Advance, overwrite: bool
) -> dict[Kind, Sweep]:
    """Write the paper's two sweeps, of the threshold and of the pair, to a study folder.

    Raises ValueError, before the work, where another sweep stands there, unless `overwrite`.
    """
    thresholds, min_pixels = grid.values(cells.thresholds), grid.pixels(cells.min_pixels)
    sizes: dict[Kind, tuple[int, ...]] = {"threshold": (0,), "joint": min_pixels}
    found: dict[Kind, Sweep] = {}

    def check(origin: Origin) -> None:
        if not overwrite:
            tables.stands(out, origin)

    for kind, smallest in sizes.items():
        axes = {"threshold": thresholds, "min_pixels": smallest}
        found[kind] = sweep.run(
            kind, axes, folders, cells.size_px, lambda share: advance(share / 2), check=check
        )
        tables.write_sweep(out, found[kind], overwrite)
    return found
