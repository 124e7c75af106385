"""This holds the projection: all that stands in the beam, summed to attenuation; and the truth."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.scans.phantom import curves, devices, lookalikes, lungs, skeleton, vessels
from tfptx.scans.phantom.anatomy import Anatomy, Posture, Side
from tfptx.scans.phantom.canvas import Canvas, Layer
from tfptx.scans.phantom.disease import Collapse

SIDES: tuple[Side, Side] = ("right", "left")
Attenuation = NDArray[np.float32]  # about 0 beside the patient, 1 through soft tissue


@dataclass(frozen=True)
class Findings:
    """What is to be seen in one image beside the anatomy."""

    collapse: Collapse | None
    drain: Side | None
    leads: bool
    tubes: bool
    fold: Side | None
    companion: Side | None
    gas: bool  # in stomach and bowel
    haze: float  # strength of infiltrates, 0 for a clear lung
    line: float  # strength of the pleural line


def project(
    canvas: Canvas,
    anatomy: Anatomy,
    posture: Posture,
    findings: Findings,
    random: np.random.Generator,
) -> tuple[Attenuation, NDArray[np.bool_]]:
    """The attenuation seen by each pixel, and the truth: the pixels of the pneumothorax."""
    outlines = {side: lungs.outline(anatomy, posture, side) for side in SIDES}
    field = canvas.filled(list(outlines.values()), 0.0016)
    collapse = findings.collapse
    if collapse:
        rim = canvas.filled([collapse.outline]) & ~canvas.filled([collapse.edge])
        # Half of 255: an edge pixel belongs to what covers most of it.
        truth = rim > 127
        aerated = cv2.subtract(field, canvas.softened(rim, 0.001))
    else:
        truth = np.zeros(field.shape, np.bool_)
        aerated = field
    attenuation = _body(canvas, anatomy, posture, field)
    if findings.gas:
        _gas(attenuation, canvas, outlines["left"], random)
    # Fat, muscle and bowel are not even.
    attenuation *= 1 + 0.035 * _cloud(canvas, random, coarse_px=5)
    _add(attenuation, _lung(canvas, anatomy, posture, findings, outlines, random), aerated)
    _bones(attenuation, canvas, anatomy, posture)
    if collapse:
        _shade(attenuation, canvas.stroked(collapse.lines, 0.0026, 0.0006), findings.line)
    for layer, strength in _additions(canvas, anatomy, posture, findings, outlines, random):
        _shade(attenuation, layer, strength)
    return attenuation, truth


def _shade(attenuation: Attenuation, layer: Layer, strength: float) -> None:
    cv2.scaleAdd(layer.astype(np.float32), strength / 255, attenuation, attenuation)


def _add(attenuation: Attenuation, tissue: Attenuation, within: Layer) -> None:
    attenuation += cv2.multiply(tissue, within, scale=1 / 255, dtype=cv2.CV_32F)


def _body(canvas: Canvas, anatomy: Anatomy, posture: Posture, field: Layer) -> Attenuation:
    """Soft tissue and the air in it."""
    tall = lungs.height(anatomy, posture)
    arms = [skeleton.arm(anatomy, posture, side)[0] for side in SIDES]
    trunk = canvas.filled([lungs.torso(anatomy)], 0.002)
    body = cv2.max(trunk, canvas.filled(arms, 0.002))
    attenuation = np.zeros(body.shape, np.float32)
    _shade(attenuation, body, 0.30)
    _shade(attenuation, canvas.softened(trunk, 0.045), 0.62)
    belly = np.array([(-0.4, tall), (0.4, tall), (0.4, 2), (-0.4, 2)])
    _shade(attenuation, canvas.filled([belly], 0.05), 0.55)
    _shade(attenuation, canvas.filled([lungs.heart(anatomy, posture)], 0.012), 0.26)
    _shade(attenuation, canvas.filled([lungs.heart(anatomy, posture)], 0.05), 0.20)
    if anatomy.sex == "F":
        breasts = canvas.filled([lungs.breast(anatomy, posture, side) for side in SIDES], 0.004)
        depth = cv2.multiply(breasts, canvas.softened(breasts, 0.05), scale=1 / 255)
        _shade(attenuation, depth, 0.9 * anatomy.fat)
    # The path through air is short beside the wall and grows quickly towards the middle.
    _shade(attenuation, field, -0.45)
    depth = cv2.multiply(field, canvas.softened(field, 0.018), scale=1 / 255)
    _shade(attenuation, depth, -0.38)
    trachea = curves.opened(np.array([(0.0, -0.4), (0.0, 0.05), (0.004, 0.26 * tall)]))
    _shade(attenuation, canvas.stroked([trachea], 0.028, 0.005), -0.16)
    return attenuation


def _gas(
    attenuation: Attenuation, canvas: Canvas, outline: curves.Points, random: np.random.Generator
) -> None:
    """Bubbles under the left half of the diaphragm, the first one in the stomach."""
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    bottom = float(outline[:, 1].max())
    for bubble in range(int(random.integers(1, 7))):
        size = np.array([random.uniform(0.02, 0.07), random.uniform(0.012, 0.035)])
        y = bottom + (-0.01 if not bubble else random.uniform(0.03, 0.3))
        centre = np.array([random.uniform(0.06, 0.22), y])
        wobble = random.uniform(0.75, 1.2, (12, 1))
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        loop = curves.closed(centre + size * circle * wobble, 60)
        _shade(attenuation, canvas.filled([loop], 0.005), -random.uniform(0.08, 0.3))


def _lung(
    canvas: Canvas,
    anatomy: Anatomy,
    posture: Posture,
    findings: Findings,
    outlines: dict[Side, curves.Points],
    random: np.random.Generator,
) -> Attenuation:
    """Parenchyma, vessels and infiltrates, as if the lungs filled the canvas."""
    grain = _cloud(canvas, random, coarse_px=64)
    tissue = anatomy.parenchyma * (1 + 0.12 * grain)
    growth = np.random.default_rng(anatomy.vessel_seed)
    branches, widths, shades = [], [], []
    for side in SIDES:
        hilum = lungs.hilum(anatomy, posture, side)
        grown = vessels.tree(hilum, outlines[side], growth)
        branches += grown[0]
        widths += grown[1]
        shades += grown[2]
        middle = canvas.filled([hilum + 0.03 * (outlines[side] - hilum) / 0.2], 0.018)
        _shade(tissue, middle, 0.16)
    _shade(tissue, canvas.stroked(branches, widths, 0.0011, shades), 0.22)
    if findings.haze:
        cloud = _cloud(canvas, random, coarse_px=8)
        tissue += findings.haze * np.clip(cloud - 0.4, 0, 1.6) * (1 + 0.35 * grain)
    return np.asarray(tissue, np.float32)


def _cloud(canvas: Canvas, random: np.random.Generator, coarse_px: int) -> Attenuation:
    """Smooth noise of unit spread: octaves from `coarse_px` cells a side, each half as strong."""
    total = np.zeros((1, 1), np.float32)
    for octave in range(3):
        cells = coarse_px * 2**octave
        noise = random.standard_normal((cells, cells), np.float32) * 0.8 * 0.6**octave
        total = noise + cv2.resize(total, (cells, cells), interpolation=cv2.INTER_CUBIC)
    size = (canvas.side_px, canvas.side_px)
    return np.asarray(cv2.resize(total, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _bones(attenuation: Attenuation, canvas: Canvas, anatomy: Anatomy, posture: Posture) -> None:
    backs, fronts, collars, blades, uppers = [], [], [], [], []
    for side in SIDES:
        posterior, anterior = skeleton.ribs(anatomy, posture, side)
        backs += [curves.band(line, anatomy.rib_width) for line in posterior]
        taper = anatomy.rib_width * np.linspace(1.0, 1.25, 48)
        fronts += [curves.band(line, taper) for line in anterior]
        collars.append(skeleton.clavicle(anatomy, posture, side))
        blades.append(skeleton.shoulder_blade(anatomy, posture, side))
        bone = skeleton.arm(anatomy, posture, side)[1]
        uppers.append(curves.band(bone, np.interp(np.linspace(0, 1, 48), [0, 0.12], [0.075, 0.04])))
    column, vertebrae = skeleton.spine(anatomy)
    density = anatomy.rib_density
    # A bone's rim is denser than its inside: its cortex is met edge on.
    for loops, inside, cortex, softness in (
        (backs, 0.75 * density, 0.55 * density, 0.0016),
        (fronts, 0.45 * density, 0.25 * density, 0.0022),
        (collars, 0.16, 0.08, 0.0018),
        (blades, 0.08, 0.06, 0.0022),
        (uppers, 0.20, 0.10, 0.0025),
        ([column], 0.10, 0.02, 0.006),
        (vertebrae, 0.02, 0.045, 0.003),
    ):
        _shade(attenuation, canvas.filled(loops, softness), inside)
        rims = [np.concatenate([loop, loop[:1]]) for loop in loops]
        _shade(attenuation, canvas.stroked(rims, 0.0032, softness), cortex)


def _additions(
    canvas: Canvas,
    anatomy: Anatomy,
    posture: Posture,
    findings: Findings,
    outlines: dict[Side, curves.Points],
    random: np.random.Generator,
) -> list[tuple[Layer, float]]:
    """Look-alikes and devices, each a layer and its strength."""
    layers: list[tuple[Layer, float]] = []
    if findings.fold:
        fold = lookalikes.skin_fold(canvas, outlines[findings.fold], findings.fold, random)
        layers.append((fold, random.uniform(0.08, 0.2)))
    if findings.companion:
        hilum = lungs.hilum(anatomy, posture, findings.companion)
        outline = outlines[findings.companion]
        shadow = lookalikes.companion_shadow(canvas, outline, hilum, random)
        layers.append((shadow, random.uniform(0.05, 0.12)))
    if findings.drain:
        layers += devices.drain(canvas, anatomy, posture, findings.drain, random)
    if findings.leads:
        layers += devices.leads(canvas, anatomy, posture, random)
    if findings.tubes:
        layers += devices.lines_and_tubes(canvas, anatomy, posture, random)
    return layers
