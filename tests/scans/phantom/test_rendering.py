from dataclasses import replace

import numpy as np
import pytest

from tfptx.scans.phantom import rendering
from tfptx.scans.phantom.canvas import Canvas

WHOLE = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
SIDE_PX = 512
CANVAS = Canvas(SIDE_PX, WHOLE)
PLAIN = rendering.Exposure(
    darkest=10,
    median=120,
    brightest=200,
    scatter=0.0,
    local_contrast=0.0,
    noise=0.0,
    shutters=(0.0, 0.0, 0.0, 0.0),
    border=3,
    marked=False,
)


@pytest.fixture
def ramp():
    return np.tile(np.linspace(0, 1.5, SIDE_PX, dtype=np.float32), (SIDE_PX, 1))


def expose(attenuation, exposure):
    return rendering.expose(attenuation, CANVAS, exposure, "PA", np.random.default_rng(0))


def test_what_weakens_more_is_brighter_and_the_levels_are_met(ramp):
    image = expose(ramp, PLAIN)
    assert (np.diff(image[0].astype(int)) >= 0).all()
    assert image[0, 0] == 10
    assert np.percentile(image, 50) == pytest.approx(120, abs=3)
    assert np.percentile(image, 97) == pytest.approx(200, abs=3)


def test_scatter_takes_contrast_and_processing_adds_it(ramp):
    ramp[:, 240:272] += 0.2
    bump = {}
    for name, change in {
        "plain": {},
        "veiled": {"scatter": 0.4},
        "crisp": {"local_contrast": 0.5},
    }.items():
        line = expose(ramp, replace(PLAIN, **change))[256].astype(float)
        bump[name] = line[248:264].mean() - (line[224:240].mean() + line[272:288].mean()) / 2
    assert bump["veiled"] < bump["plain"] < bump["crisp"]


def test_noise_has_the_spread_asked_for(ramp):
    clean = expose(ramp, PLAIN).astype(float)
    noisy = [(expose(ramp, replace(PLAIN, noise=n)) - clean).std() for n in (2.0, 4.0)]
    assert 1 < noisy[0] < 3
    assert noisy[1] / noisy[0] == pytest.approx(2, rel=0.15)


def test_shutters_hide_the_borders(ramp):
    shut = replace(PLAIN, shutters=(0.125, 0.0, 0.25, 0.0))
    image = expose(ramp, shut)
    assert (image[:64] == 3).all()
    assert (image[:, :128] == 3).all()
    np.testing.assert_array_equal(image[64:, 128:], expose(ramp, PLAIN)[64:, 128:])
    assert shut.opening(SIDE_PX) == (slice(64, SIDE_PX), slice(128, SIDE_PX))
