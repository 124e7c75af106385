import numpy as np

from tfptx.scans import twins
from tfptx.scans.scan import sample_of


def test_only_equal_images_are_twins_and_only_likely_ones_are_compared():
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (40, 30)).astype(np.uint8)
    nearly = image.copy()
    nearly[1, 1] ^= 1  # between the pixels of the sample
    images = [image, random.integers(0, 256, (40, 30)).astype(np.uint8), nearly, image.copy()]
    compared = []

    def pixels_of(position):
        compared.append(position)
        return images[position]

    assert twins.find([sample_of(each) for each in images], pixels_of) == [0, 1, 2, 0]
    assert compared == [0, 2, 3]


def test_images_of_other_sizes_are_no_twins():
    images = [np.zeros((40, 30), np.uint8), np.zeros((39, 30), np.uint8)]
    assert sample_of(images[0]) != sample_of(images[1])
