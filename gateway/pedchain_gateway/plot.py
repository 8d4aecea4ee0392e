# SPDX-License-Identifier: Apache-2.0
"""What all plots share: their size, their axes, their words. SVG."""

from collections.abc import Iterable

WIDTH, HEIGHT, MARGIN = 640, 400, 50


def framed(parts: Iterable[str]) -> str:
    """A whole plot of these parts, which are drawn in their order."""
    axes = f"M{MARGIN} {MARGIN}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}"
    drawn = "\n".join([*parts, f'<path d="{axes}" fill="none" stroke="#444"/>'])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n{drawn}\n</svg>\n'
    )


def curve(path: str, colour: str, title: str) -> str:
    """A line along a path, named to whoever points at it."""
    drawn = f'd="{path}" fill="none" stroke="{colour}" stroke-width="2"'
    return f"<path {drawn}><title>{title}</title></path>"


def words(x: int, y: int, text: str, colour: str = "#444", anchor: str = "start") -> str:
    """Words that begin, or with `anchor` end, at a point."""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{text}</text>'
