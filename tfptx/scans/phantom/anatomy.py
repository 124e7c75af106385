"""This holds the patient: anatomy drawn once a patient, posture drawn once an image."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

View = Literal["PA", "AP"]
Side = Literal["right", "left"]
SIGN = {"right": -1.0, "left": 1.0}  # the patient's right is on the image's left
SIDES_MM = (350.0, 430.0)  # of the usual detectors
SHARE_MALE = 0.55  # as below
SHARE_AP = 0.39  # of the competition's 9,098 images with a known view


@dataclass(frozen=True)
class Anatomy:
    """What all images of a patient share; lengths are shares of the image's side."""

    sex: Literal["F", "M"]
    age: int
    half_width: float  # of the rib cage
    height: float  # from the lungs' apex to the dome of the diaphragm
    heart: float  # the left heart border's distance from the midline, in half widths
    aorta: float  # how far the aortic knob bulges, in half widths
    apex: float  # the apex's distance from the midline, in half widths
    left_drop: float  # how much lower the left dome stands, in heights
    fat: float  # soft tissue beside the rib cage
    rib_width: float
    rib_drop: float  # how far a rib falls from the spine to the side
    rib_density: float
    clavicle_rise: float
    shoulder: float
    spine_bend: float
    parenchyma: float  # the attenuation of inflated lung beside that of air
    vessel_seed: int


@dataclass(frozen=True)
class Posture:
    """How the patient stood or lay for one image."""

    view: View
    inspiration: float  # the lungs' height, as a share of a deep breath's
    turn: float  # the right half's width grows and the left's shrinks by this share
    scapula: float  # how far the shoulder blade lies over the lung, 0 to 1
    tilt_degrees: float
    scale: float
    shift_x: float
    apex_y: float  # where the lungs' apex lies, as a share of the image's side
    side_mm: float  # the image's side

    def placement(self) -> NDArray[np.float64]:
        """The 2 x 3 matrix from the patient's plane (apex level, midline) to the image's shares."""
        angle = np.deg2rad(self.tilt_degrees)
        cosine, sine = self.scale * np.cos(angle), self.scale * np.sin(angle)
        centre = 0.3  # the plane turns about mid chest, so that a tilt moves the lungs little
        x = 0.5 + self.shift_x + sine * centre
        y = self.apex_y + self.scale * centre - cosine * centre
        return np.array([[cosine, -sine, x], [sine, cosine, y]])


def draw_anatomy(random: np.random.Generator) -> Anatomy:
    """Draw a patient."""
    sex: Literal["F", "M"] = "M" if random.random() < SHARE_MALE else "F"
    return Anatomy(
        sex=sex,
        age=int(np.clip(random.normal(47, 17), 3, 93)),
        half_width=random.uniform(0.30, 0.37),
        height=random.uniform(0.44, 0.57),
        heart=random.uniform(0.40, 0.62),
        aorta=random.uniform(0.18, 0.30),
        apex=random.uniform(0.32, 0.42),
        left_drop=random.uniform(-0.01, 0.07),
        fat=random.uniform(0.03, 0.12),
        rib_width=random.uniform(0.019, 0.027),
        rib_drop=random.uniform(0.06, 0.13),
        rib_density=random.uniform(0.07, 0.17),
        clavicle_rise=random.uniform(0.00, 0.10),
        shoulder=random.uniform(0.44, 0.54),
        spine_bend=random.normal(0, 0.008),
        parenchyma=random.uniform(0.14, 0.26),
        vessel_seed=int(random.integers(2**31)),
    )


def draw_posture(random: np.random.Generator) -> Posture:
    """Draw one exposure's posture; a bedside image (AP) is less inflated and less straight."""
    bedside = random.random() < SHARE_AP
    return Posture(
        view="AP" if bedside else "PA",
        inspiration=random.uniform(0.72, 0.95) if bedside else random.uniform(0.88, 1.05),
        turn=random.normal(0, 0.07 if bedside else 0.03),
        scapula=random.uniform(0.3, 1.0) if bedside else random.uniform(0.0, 0.5),
        tilt_degrees=random.normal(0, 4.0 if bedside else 1.2),
        scale=random.uniform(0.86, 1.1),
        shift_x=random.normal(0, 0.025),
        apex_y=random.uniform(0.07, 0.20),
        side_mm=float(random.choice(SIDES_MM)),
    )
