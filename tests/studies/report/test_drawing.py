import numpy as np

from tfptx.studies.report import assets, drawing


def test_the_script_draws_as_many_steps_of_probability_as_it_is_given():
    assert drawing.steps(np.array([0, 4000, 10_000])).tolist() == [0, 102, drawing.STEPS]
    script = (assets.FOLDER / "drawing.js").read_text()
    assert f"const STEPS = {drawing.STEPS};" in script


def test_the_key_has_the_colours_that_are_drawn():
    style = (assets.FOLDER / assets.STYLE).read_text()
    script = (assets.FOLDER / "drawing.js").read_text()
    for name, constant, colour in (
        ("mask", "ORANGE", drawing.overlay.ORANGE),
        ("truth", "BLUE", drawing.TRUTH),
    ):
        red_green_blue = colour[::-1]
        assert f"--{name}: #{bytes(red_green_blue).hex()};" in style
        assert f"const {constant} = {list(red_green_blue)};" in script
