"""This holds the previews: the small radiographs of maps, and pictures as data in a page itself."""

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

from tfptx.operating_point import maps as maps_on_disk
from tfptx.operating_point.maps import Maps

SIDE_PX = 512  # of a drawing's longer side
PLAIN_GREY = 48  # where the maps came without previews


def data_uri(content: bytes, kind: str) -> str:
    """An image file of a kind, as png, in the page itself."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def uri(maps: Maps, position: int) -> str | None:
    """The preview of a map, None where it was not kept. Raises ValueError as `preview_path`."""
    path = maps_on_disk.preview_path(maps.folder, str(maps.index["image_id"].iloc[position]))
    return data_uri(path.read_bytes(), "jpeg") if path.is_file() else None


def read(maps: Maps, position: int) -> NDArray[np.uint8]:
    """The radiograph at a drawing's size, or a plain grey where the maps came without it.

    Raises ValueError as `preview_path`.
    """
    rows, columns = int(maps.rows[position]), int(maps.columns[position])
    scale = SIDE_PX / max(rows, columns)
    size = (max(1, round(scale * columns)), max(1, round(scale * rows)))
    path = maps_on_disk.preview_path(maps.folder, str(maps.index["image_id"].iloc[position]))
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
    if image is None:
        return np.full(size[::-1], PLAIN_GREY, np.uint8)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)
