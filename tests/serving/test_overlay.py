import numpy as np

from tfptx.serving import overlay


def test_the_fill_is_faint_and_the_outline_outside():
    image = np.full((40, 60), 100, np.uint8)
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:40] = True
    drawn = overlay.draw(image, mask)
    assert drawn.shape == (40, 60, 3)
    assert drawn.dtype == np.uint8
    # 0.82 of 100 and 0.18 of blue 0, green 159, red 230.
    np.testing.assert_array_equal(drawn[mask], np.tile([82, 111, 123], (400, 1)))
    is_orange = (drawn == overlay.ORANGE).all(-1)
    assert not (is_orange & mask).any()
    assert is_orange[20, [19, 40]].all()
    assert is_orange[[9, 30], 25].all()
    np.testing.assert_array_equal(drawn[0, 0], [100, 100, 100])


def test_an_empty_mask_leaves_the_radiograph():
    image = np.arange(24, dtype=np.uint8).reshape(4, 6)
    drawn = overlay.draw(image, np.zeros((4, 6), bool))
    np.testing.assert_array_equal(drawn, np.stack([image] * 3, -1))


def test_a_mask_that_fills_the_image_has_no_outline():
    image = np.full((8, 8), 200, np.uint8)
    drawn = overlay.draw(image, np.ones((8, 8), bool))
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 1
