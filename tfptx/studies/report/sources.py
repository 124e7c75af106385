"""This holds where a report's numbers came from: maps, networks, fits, versions, commands."""

from collections.abc import Mapping, Sequence
from typing import Any

from tfptx import provenance
from tfptx.operating_point.grid import Kind
from tfptx.operating_point.maps import Maps
from tfptx.studies.report.fits import Fit
from tfptx.studies.report.tables import Swept


def short(fingerprint: str | None) -> str:
    """A fingerprint as it is shown."""
    return provenance.short(fingerprint) if fingerprint else "unknown"


def of_sweeps(sweeps: Mapping[Kind, Swept], opened: Mapping[Kind, Sequence[Maps]]) -> list[Any]:
    """For each sweep the rows (name, values) of what it came from."""
    return [(kind, _of_sweep(swept, opened.get(kind, ()))) for kind, swept in sweeps.items()]


def of_fits(fitted: Sequence[Sequence[Fit]], sweeps: Mapping[Kind, Swept]) -> list[Any]:
    """For each stage (folder, rows, resolved config)."""
    swept = {fingerprint for each in sweeps.values() for fingerprint in each.point.runs}
    return [
        (str(fit.folder.path), _of_fit(fit, swept), fit.config_toml)
        for stages in fitted
        for fit in stages
    ]


def _of_sweep(swept: Swept, opened: Sequence[Maps]) -> list[tuple[str, list[str]]]:
    point, origin = swept.point, swept.origin
    maps = [
        f"{each['folder']}: {each['num_images']} images, fingerprint {short(each['fingerprint'])}"
        for each in origin["maps"]
    ]
    rows = [
        ("cells", [f"{len(swept.results)} at {point.size_px} px"]),
        ("maps", maps),
        ("networks", [short(each) for each in point.runs] or ["unknown"]),
        ("stage", [f"{point.stage or 'unknown'}, {'with' if point.flip else 'without'} flips"]),
        ("records", sorted({short(each.source["records"]) for each in opened}) or ["unknown"]),
        ("command", [origin["environment"].get("command", "unknown")]),
    ]
    made = [each.source["environment"].get("command") for each in opened]
    rows.append(("maps made by", [command for command in made if command] or ["unknown"]))
    return [*rows, ("versions", [_versions(origin["environment"])])]


def _of_fit(fit: Fit, swept: set[str]) -> list[tuple[str, list[str]]]:
    if fit.result is None:
        outcome = f"not finished, {len(fit.history)} epochs so far"
    else:
        outcome = (
            f"best epoch {fit.result['epoch']} of {fit.result['epochs']}, counted from 0, "
            f"validation mean Dice {fit.result['mean_dice']:.4f}"
        )
    known = fit.environment
    return [
        ("study", [f"{fit.study.name}, encoder {fit.study.network.encoder}"]),
        ("outcome", [outcome]),
        ("made these maps", ["yes" if fit.fingerprint in swept else "no"]),
        ("fingerprint", [short(fit.fingerprint)]),
        ("seed", [str(fit.study.seed)]),
        ("records", [short(known.get("records"))]),
        ("began from", [short(known.get("initial_weights"))]),
        ("command", [str(known.get("command", "unknown"))]),
        ("versions", [_versions(known)]),
    ]


def _versions(environment: Mapping[str, Any]) -> str:
    packages = environment.get("packages", {})
    versions = {"Python": environment.get("python"), **packages}
    known = [f"{name} {version}" for name, version in versions.items() if version]
    return ", ".join([*known, environment.get("platform", "unknown platform")])
