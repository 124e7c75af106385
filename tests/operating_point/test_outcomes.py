import numpy as np

from tfptx.operating_point import outcomes


def test_an_image_is_positive_where_its_mask_is_not_empty():
    predicted_px, truth_px = np.array([3, 3, 0, 0]), np.array([9, 0, 9, 0])
    assert outcomes.names(predicted_px, truth_px).tolist() == ["TP", "FP", "FN", "TN"]
