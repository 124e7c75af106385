"""This holds where a report's numbers came from: maps, networks, fits, versions, commands."""

from collections.abc import Mapping, Sequence
from typing import Any

from tfptx import provenance
from tfptx.operating_point.grid import Kind
from tfptx.operating_point.maps import Maps
from tfptx.studies.report.collection import Collection
from tfptx.studies.report.fits import Fit
from tfptx.studies.report.tables import Swept


def of_sweeps(sweeps: Mapping[Kind, Swept], chosen: Collection | None) -> list[Any]:
    """For each sweep the rows (name, values) of what it came from; `chosen` are its maps."""
    opened = {str(maps.folder): maps for maps in chosen.maps} if chosen else {}
    return [(kind, _of_sweep(swept, opened)) for kind, swept in sweeps.items()]


def of_maps(judged: Collection) -> list[tuple[str, list[str]]]:
    """The rows of maps that a point is judged on."""
    maps = [
        f"{each.folder}: {len(each)} images, fingerprint {_short(fingerprint)}"
        for each, fingerprint in zip(judged.maps, judged.fingerprints, strict=True)
    ]
    networks = sorted({_short(run) for each in judged.maps for run in each.source["runs"]})
    return [
        ("maps", maps),
        ("networks", networks or ["unknown"]),
        ("maps made by", _commands(judged.maps)),
    ]


def of_fits(fitted: Sequence[Sequence[Fit]], sweeps: Mapping[Kind, Swept]) -> list[Any]:
    """For each stage (folder, rows, resolved config)."""
    swept = {fingerprint for each in sweeps.values() for fingerprint in each.point.runs}
    return [
        (str(fit.folder.path), _of_fit(fit, swept), fit.config_toml)
        for stages in fitted
        for fit in stages
    ]


def _of_sweep(swept: Swept, all_opened: Mapping[str, Maps]) -> list[tuple[str, list[str]]]:
    point, origin = swept.point, swept.origin
    folders = [each["folder"] for each in origin["maps"]]
    opened = [all_opened[folder] for folder in folders if folder in all_opened]
    maps = [
        f"{each['folder']}: {each['num_images']} images, fingerprint {_short(each['fingerprint'])}"
        for each in origin["maps"]
    ]
    rows = [
        ("cells", [f"{len(swept.results)} at {point.size_px} px"]),
        ("maps", maps),
        ("networks", [_short(each) for each in point.runs] or ["unknown"]),
        ("stage", [f"{point.stage or 'unknown'}, {'with' if point.flip else 'without'} flips"]),
        ("records", sorted({_short(each.source["records"]) for each in opened}) or ["unknown"]),
        ("command", [origin["environment"].get("command", "unknown")]),
    ]
    return [
        *rows,
        ("maps made by", _commands(opened)),
        ("settings", _settings(origin["settings"])),
        ("versions", [_versions(origin["environment"])]),
    ]


def _commands(opened: Sequence[Maps]) -> list[str]:
    made = [each.source["environment"].get("command") for each in opened]
    return [command for command in made if command] or ["unknown"]


def _settings(settings: Mapping[str, Any]) -> list[str]:
    """How the point was chosen and the intervals drawn, the seed among it."""
    flat = {**settings, **settings.get("criterion", {})}
    flat.pop("criterion", None)
    return [
        ", ".join(
            f"{name.replace('_', ' ')} {value}" for name, value in flat.items() if value is not None
        )
    ]


def _short(fingerprint: str | None) -> str:
    return provenance.short(fingerprint) if fingerprint else "unknown"


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
        ("fingerprint", [_short(fit.fingerprint)]),
        ("seed", [str(fit.study.seed)]),
        ("records", [_short(known.get("records"))]),
        ("began from", [_short(known.get("initial_weights"))]),
        ("command", [str(known.get("command", "unknown"))]),
        ("versions", [_versions(known)]),
    ]


def _versions(environment: Mapping[str, Any]) -> str:
    packages = environment.get("packages", {})
    versions = {"Python": environment.get("python"), **packages}
    known = [f"{name} {version}" for name, version in versions.items() if version]
    return ", ".join([*known, environment.get("platform", "unknown platform")])
