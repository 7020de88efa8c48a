"""The benchmark's chart: horizontal bars, drawn as SVG by hand so that nothing need be installed for it."""

from html import escape
from typing import NamedTuple

_WIDTH, _LABEL, _ROW, _TOP = 760, 235, 30, 64
_SPACE = _WIDTH - _LABEL - 150
_FONT = 'font-family="system-ui, sans-serif" font-size="13"'
_TITLE = "Cold start of the whole process, in milliseconds"
_CAPTION = "ms until the reboot is accepted, or until the process ends; peak memory. Medians of make bench."


class ChartRow(NamedTuple):
    """One program: milliseconds and MiB."""

    label: str
    milliseconds: float
    mebibytes: float


def drawn(rows: list[ChartRow]) -> str:
    """Return the chart. Colours are readable on light and dark pages alike."""
    longest = max(row.milliseconds for row in rows)
    height = _TOP + _ROW * len(rows) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" {_FONT}>',
        f"<title>{_TITLE}</title>",
        f'<rect width="{_WIDTH}" height="{height}" rx="6" fill="#ffffff"/>',
        '<text x="14" y="26" font-size="15" font-weight="600" fill="#1f2328">Cold start of the whole process</text>',
        f'<text x="14" y="45" fill="#59636e">{_CAPTION}</text>',
    ]
    for number, row in enumerate(rows):
        y = _TOP + number * _ROW
        width = max(2.0, row.milliseconds / longest * _SPACE)
        said = f"{row.milliseconds:.0f} ms, {row.mebibytes:.0f} MiB"
        colour = "#1a7f37" if row.label.startswith("(e)") else "#8c959f"
        parts += [
            f'<text x="{_LABEL - 8}" y="{y + 15}" text-anchor="end" fill="#1f2328">{escape(row.label)}</text>',
            f'<rect x="{_LABEL}" y="{y}" width="{width:.1f}" height="20" rx="3" fill="{colour}"/>',
            f'<text x="{_LABEL + width + 8:.1f}" y="{y + 15}" fill="#1f2328">{escape(said)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
