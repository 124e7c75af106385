"""This holds the reference decoder of PNG and JPEG, OpenCV's, the encoder of PNG, and a check."""

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray


def decode(content: bytes, flags: int = cv2.IMREAD_UNCHANGED) -> NDArray[np.generic]:
    """Decode a picture: rows x columns (x channels in OpenCV's order), uint8 or uint16.

    Raises ValueError where it is damaged, as far as the decoder can tell.
    """
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:  # thus OpenCV refuses a JPEG beyond a bound of its own
        raise ValueError(f"damaged image: {' '.join(str(error).split())}") from error
    if decoded is None:
        raise ValueError("damaged or cut image")
    return np.asarray(decoded)


def block_means(jpeg: bytes) -> NDArray[np.uint8]:
    """The means that a grey JPEG has for its blocks of 8 x 8 pixels, rows/8 x columns/8.

    The decoder reads every coefficient for them, as it does for the pixels, but spares the inverse
    transforms, which are half of its time. Raises ValueError for all that libjpeg warns of: where
    the data of a scan are cut or damaged, every other decoder paints grey and says nothing.
    """
    means = simplejpeg.decode_jpeg(jpeg, "GRAY", min_height=1, min_width=1, min_factor=8)
    return np.asarray(means[..., 0], np.uint8)


def to_png(image: NDArray[np.uint8]) -> bytes:
    """Encode uint8 pixels, rows x columns (x channels in OpenCV's order), as PNG.

    Raises ValueError where OpenCV can't, as an image without pixels.
    """
    done, encoded = cv2.imencode(".png", image)
    if not done:
        raise ValueError(f"an image of shape {image.shape} can't be written as PNG")
    return encoded.tobytes()
