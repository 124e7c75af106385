"""This holds how figures look: colours for a light and a dark page, lines, letters, saving."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

DPI = 200
WIDTH_INCHES = 5.8  # so narrow that letters can still be read on a phone


@dataclass(frozen=True)
class Theme:
    """Colours by their use; the first three are Okabe and Ito's, apart for all colour vision."""

    name: str
    background: str
    ink: str
    muted: str
    grid: str
    blue: str
    orange: str
    green: str
    purple: str

    @property
    def cycle(self) -> tuple[str, ...]:
        """Colours for lines whose number is not known."""
        return self.blue, self.orange, self.green, self.purple, self.ink


LIGHT = Theme(
    "light", "#ffffff", "#1f2328", "#6b7280", "#e5e7eb", "#0072b2", "#d55e00", "#009e73", "#aa4499"
)
DARK = Theme(
    "dark", "#16191d", "#e6e8eb", "#9aa3ad", "#2b3036", "#56b4e9", "#e69f00", "#2fbf94", "#cc79a7"
)
THEMES = (LIGHT, DARK)

Draw = Callable[[Figure, Theme], None]


def save(folder: Path, name: str, height_inches: float, draw: Draw) -> None:
    """Draw a figure for both themes, as <name>.png and <name>-dark.png, and as <name>.svg."""
    for theme in THEMES:
        with rc_context(_settings(theme)):
            figure = Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")
            draw(figure, theme)
            figure.savefig(folder / file_name(name, theme), dpi=DPI)
            if theme is LIGHT:
                # Its layout is found already. Without a date, the same figure is the same file.
                figure.set_layout_engine("none")
                figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, dpi=DPI)


def file_name(name: str, theme: Theme) -> str:
    """The file of a figure."""
    return f"{name}.png" if theme is LIGHT else f"{name}-{theme.name}.png"


def legend(axes: Axes, columns: int) -> None:
    """Put the names of the lines above the axes, where they hide nothing."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=columns,
        frameon=False,
        borderaxespad=0.2,
        handlelength=1.6,
        columnspacing=1.4,
    )


def _settings(theme: Theme) -> dict[Any, Any]:
    return {
        "font.size": 9,
        "axes.labelsize": 9,
        "axes.titlesize": 9,
        "legend.fontsize": 8.5,
        "figure.facecolor": theme.background,
        "axes.facecolor": theme.background,
        "savefig.facecolor": theme.background,
        "text.color": theme.ink,
        "axes.labelcolor": theme.ink,
        "xtick.color": theme.muted,
        "ytick.color": theme.muted,
        "xtick.labelcolor": theme.ink,
        "ytick.labelcolor": theme.ink,
        "axes.edgecolor": theme.muted,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": theme.grid,
        "grid.linewidth": 0.6,
        "axes.axisbelow": True,
        "lines.linewidth": 1.6,
        "hatch.linewidth": 0.5,
        "svg.hashsalt": "tfptx",  # ids in a file would else be others each time
    }
