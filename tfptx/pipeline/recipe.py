"""This holds what both engines of augmentation share: the reach of each member, and the seed."""

from tfptx import provenance

CONTRAST_SHARE = 0.2
BRIGHTNESS_SHARE = 0.2
GAMMA_PERCENT = (80, 120)
ELASTIC_SIGMA_PX = 6.0  # how smooth the displacement is
ELASTIC_ALPHA_PX = 120.0  # before smoothing, which leaves a standard deviation of some 3 px
GRID_STEPS = 5
GRID_SHARE = 0.3
OPTICAL_COEFFICIENT = 0.3


def number(seed: int, epoch: int, image_id: bytes) -> int:
    """The number of 64 bits from which all draws of an example in an epoch come."""
    return int(provenance.fingerprint([str(seed), str(epoch), image_id.decode()])[:16], 16)
