from tfptx.serving import probe


def test_the_radiograph_is_always_the_same():
    assert probe.radiograph(64) == probe.radiograph(64)
