# SPDX-License-Identifier: Apache-2.0
"""The results as one HTML page: inline SVG, no script, nothing loaded from anywhere."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 220, 56, 24
COLOURS = {"export_wh": "#2f7d4f", "import_wh": "#b4552d"}
NAMES = {"export_wh": "fed in", "import_wh": "drawn"}
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;
color:#1c2420;background:#fbfaf6}
svg{width:100%;height:auto}pre{overflow-x:auto;background:#f0eee6;padding:1rem}
@media(prefers-color-scheme:dark){body{color:#e8e6dd;background:#171a18}pre{background:#242825}}
"""


def page(text: str, certificates: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """One page: a chart per district, and the demo's own last lines."""
    charts = "".join(
        f"<h2>{escape(district)}</h2>{chart(district, found)}"
        for district, found in certificates.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>pedchain demo</title><style>{STYLE}</style>"
        "<h1>Two districts, certified day by day</h1>"
        "<p>Energy over the district's meters per local day, from the certificates on the ledger. "
        f"A day whose numbers may not be published is left empty.</p>{charts}"
        f"<h2>What the demo said</h2><pre>{escape(text)}</pre></html>\n"
    )


def chart(district: str, certificates: Sequence[Mapping[str, Any]]) -> str:
    """Bars of energy fed in and drawn per day, in kWh."""
    days = [(one["day"], one["electricity"]) for one in certificates]
    top = max((values[name] or 0 for _, values in days for name in COLOURS), default=0) or 1
    slot = (WIDTH - LEFT) / max(1, len(days))
    bars = "".join(
        bar(LEFT + slot * (at + 0.1 + 0.4 * side), slot * 0.38, values[name], top, name, day)
        for at, (day, values) in enumerate(days)
        for side, name in enumerate(COLOURS)
    )
    labels = "".join(
        f'<text x="{LEFT + slot * (at + 0.5):.1f}" y="{HEIGHT - 6}" text-anchor="middle" '
        f'font-size="11" fill="currentColor">{escape(day[5:])}</text>'
        for at, (day, _) in enumerate(days)
        if at % max(1, len(days) // 8) == 0
    )
    legend = "   ".join(f"{NAMES[name]}" for name in COLOURS)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(district)}: energy {legend} per day">'
        f'<text x="0" y="14" font-size="11" fill="currentColor">{top // 1000:,} kWh</text>'
        f"{key()}{bars}{labels}</svg>"
    )


def bar(x: float, width: float, value: int | None, top: int, name: str, day: str) -> str:
    height = (HEIGHT - BOTTOM - 20) * (value or 0) / top
    y = HEIGHT - BOTTOM - height
    title = f"{day}: {NAMES[name]} {(value or 0) / 1000:,.1f} kWh"
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{COLOURS[name]}"><title>{escape(title)}</title></rect>'
    )


def key() -> str:
    return "".join(
        f'<rect x="{WIDTH - 200 + 100 * at}" y="4" width="12" height="12" fill="{COLOURS[name]}"/>'
        f'<text x="{WIDTH - 182 + 100 * at}" y="14" font-size="11" fill="currentColor">'
        f"{NAMES[name]}</text>"
        for at, name in enumerate(COLOURS)
    )
