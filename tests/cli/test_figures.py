import pytest

from tfptx.cli import figures
from tfptx.cli.figures import Line

VALUES = dict.fromkeys(figures.HEADINGS, 0.5)


@pytest.mark.parametrize("interval", ["", "0.4000 to 0.6000"])
def test_lines_of_one_label_are_all_shown_and_aligned(capsys, interval):
    pair = Line("threshold 0.5", VALUES | {"mean_dice": 0.75}, interval)
    figures.echo_table([Line("all empty", VALUES), Line("threshold 0.5", VALUES, interval), pair])
    heading, *lines = capsys.readouterr().out.splitlines()
    assert [line[:13].strip() for line in lines] == ["all empty", "threshold 0.5", "threshold 0.5"]
    assert [line[15:].split()[0] for line in lines] == ["0.500000", "0.500000", "0.750000"]
    assert len({len(line) for line in (heading, *lines)}) == 1
    assert ("95 % interval" in heading) == bool(interval)
