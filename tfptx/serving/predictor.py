"""This holds the prediction of files with an export: masks, findings and overlays."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx import files
from tfptx.operating_point import submissions
from tfptx.scans import codec, rle, sources
from tfptx.scans.scan import Scan, pixels
from tfptx.serving import findings, models, overlay
from tfptx.serving.answers import Model
from tfptx.serving.findings import Finding

PREDICTIONS = "predictions.csv"
OVERLAYS = "overlays"


def predict(
    model: str | Path,
    inputs: Sequence[Path],
    out: Path,
    advance: Callable[[float], None],
    batch_size: int = 4,
) -> list[Finding]:
    """Write the masks, findings and overlays of scan files, and of those in folders, to `out`.

    An image that can't be read is a finding with its reason; it has no row in the predictions.
    `model` is what `models.open_model` takes. `out` appears whole or not at all; `advance` is
    called with each finished share.
    Raises ValueError where there is no export, no scan, two scans of one id, or none is readable.
    """
    paths = _paths(inputs)
    answer = models.open_model(model)
    found: list[Finding] = []
    texts: list[tuple[str, str]] = []
    with files.writing_folder(out) as folder, ThreadPoolExecutor() as pool:
        (folder / OVERLAYS).mkdir()
        for start in range(0, len(paths), batch_size):
            contents = list(pool.map(_read, paths[start : start + batch_size]))
            scans = [content for content in contents if isinstance(content, Scan)]
            answers = iter(_answers(answer, scans))
            for content in contents:
                finding, mask = (content, None) if isinstance(content, Finding) else next(answers)
                found.append(finding)
                if isinstance(content, Scan) and mask is not None:
                    texts.append((finding.image_id, rle.encode(mask)))
                    drawn = codec.to_png(overlay.draw(pixels(content), mask))
                    (folder / OVERLAYS / f"{finding.image_id}.png").write_bytes(drawn)
                advance(1 / len(paths))
        if not texts:
            raise ValueError(
                f"none of {len(paths)} files can be read; {paths[0]}: {found[0].error}"
            )
        submissions.write(folder / PREDICTIONS, texts)
        findings.write(folder / findings.NAME, found)
    return found


def _paths(inputs: Sequence[Path]) -> list[Path]:
    found: dict[str, Path] = {}
    for path in (path for each in inputs for path in sources.find(each)):
        first = found.setdefault(path.stem, path)
        if first.resolve() != path.resolve():
            raise ValueError(f"two files have the id {path.stem}: {first} and {path}")
    return list(found.values())


def _read(path: Path) -> Scan | Finding:
    try:
        return sources.read(path)
    except (ValueError, OSError) as error:
        return Finding(path.stem, error=str(error))


def _answers(
    model: Model, scans: Sequence[Scan]
) -> Iterator[tuple[Finding, NDArray[np.bool_] | None]]:
    """The finding of each scan and its mask, None where the model could not decode the image."""
    if not scans:
        return
    for scan, said in zip(scans, model([scan.image for scan in scans]), strict=True):
        if said.error:
            yield Finding(scan.image_id, error=said.error), None
            continue
        finding = Finding(
            scan.image_id,
            said.decision,
            said.pixel_count,
            None if scan.pixel_mm2 is None else said.pixel_count * scan.pixel_mm2,
            said.image_score,
            said.presence,
        )
        encoded = np.frombuffer(said.mask_png, np.uint8)
        yield finding, np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)) > 0
