# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw how long requests took, as an SVG that follows the colour scheme of who looks at it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 860, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 200, 84, 52  # what is left free around the curves

STYLE = """
  .paper { fill: #ffffff } .grid { stroke: #e3e6ea } text { font: 14px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 19px; font-weight: 600; fill: #1f2328 } .strong { font-weight: 600 }
  .curve { fill: none; stroke-width: 3; stroke-linejoin: round }
  .before { stroke: #c2410c } text.before { stroke: none; fill: #c2410c }
  .after { stroke: #0f766e } text.after { stroke: none; fill: #0f766e }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .grid { stroke: #30363d } text { fill: #9da7b1 } .title { fill: #f0f3f6 }
    .before { stroke: #fb923c } text.before { fill: #fb923c } .after { stroke: #2dd4bf } text.after { fill: #2dd4bf }
  }"""


@dataclass(frozen=True)
class Curve:
    """Milliseconds by the percentage of requests that took no longer, and what to write beside its end."""

    kind: t.Literal["before", "after"]
    name: str
    note: str
    times: t.Sequence[float]


def draw(title: str, subtitle: str, curves: t.Sequence[Curve]) -> str:
    """The SVG."""
    scale = Scale(max(max(curve.times) for curve in curves))
    box = f"0 0 {WIDTH} {HEIGHT}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}\n</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        f'<text class="title" x="24" y="34">{escape(title)}</text>',
        f'<text x="24" y="58">{escape(subtitle)}</text>',
        *scale.grid(),
        *(part for curve in curves for part in scale.curve(curve)),
    ]
    return "\n".join([*parts, "</svg>", ""])


@dataclass(frozen=True)
class Scale:
    """Where a percentage and a time are in the picture."""

    longest: float

    def x(self, percentage: float) -> float:
        """From the left, in pixels."""
        return LEFT + (WIDTH - LEFT - RIGHT) * percentage / 100

    def y(self, milliseconds: float) -> float:
        """From the top, in pixels."""
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * milliseconds / (self.longest * 1.02)

    def grid(self) -> t.Iterator[str]:
        """A line for every half second or more, and the names of both axes."""
        step = 500 * (1 + int(self.longest // 3500))
        for time in range(0, int(self.longest) + 1, step):
            y = self.y(time)
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text x="{LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">{time / 1000:g} s</text>'
        for percentage in (0, 25, 50, 75, 100):
            yield f'<text x="{self.x(percentage):.1f}" y="{HEIGHT - 28}" text-anchor="middle">{percentage} %</text>'
        middle = f'x="{self.x(50):.1f}" y="{HEIGHT - 8}" text-anchor="middle"'
        yield f"<text {middle}>of the requests took no longer</text>"

    def curve(self, curve: Curve) -> t.Iterator[str]:
        """The curve, and its name at its end."""
        points = " ".join(f"{self.x(number):.1f},{self.y(time):.1f}" for number, time in enumerate(curve.times))
        yield f'<polyline class="curve {curve.kind}" points="{points}"/>'
        x, y = self.x(100) + 12, self.y(curve.times[-1])
        yield f'<text class="{curve.kind} strong" x="{x:.1f}" y="{y + 5:.1f}">{escape(curve.name)}</text>'
        yield f'<text x="{x:.1f}" y="{y + 25:.1f}">{escape(curve.note)}</text>'
