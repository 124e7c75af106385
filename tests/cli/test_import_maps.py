import subprocess
import sys

import numpy as np
from click.testing import CliRunner

from tfptx.cli.main import main


def folders(tmp_path):
    for name, values in (("probabilities", [0.2, 0.9]), ("masks", [0, 1])):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "a.npy", np.full((4, 4), values[1], np.float32))
        np.save(tmp_path / name / "b.npy", np.full((4, 4), values[0], np.float32))
    return ["import-maps", str(tmp_path / "probabilities"), "--truth", str(tmp_path / "masks")]


def test_maps_of_others_are_swept_without_tensorflow(tmp_path):
    out, study = str(tmp_path / "maps"), str(tmp_path / "study")
    steps = [
        [*folders(tmp_path), "--out", out],
        ["sweep", "joint", out, "--out", study],
        ["evaluate", out, "--point", f"{study}/joint/point.json"],
    ]
    code = (
        "import sys\nfrom tfptx.cli.main import main\n"
        f"for step in {steps!r}:\n    main(step, standalone_mode=False)\n"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "maps of 2 images" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_bad_input_is_one_line(tmp_path):
    arguments = folders(tmp_path)
    np.save(tmp_path / "probabilities" / "a.npy", np.full((4, 4), 3.0))
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "maps")])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "maps").exists()
