"""Draws the times of answers by the size of the table, as SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 250, 40, 50
COLOURS = ("#1f6feb", "#d1570a", "#2da44e", "#8250df")

Points = Sequence[tuple[int, float]]


def chart(lines: Mapping[str, tuple[Points, Points]]) -> str:
    """The SVG, with a solid line for each scenario and a dashed line for its floor.

    Args:
        lines: For each scenario the points of the product and of the floor: bookings in the table, milliseconds.
    """
    points = [point for pair in lines.values() for side in pair for point in side]
    first, last = (log10(edge(size for size, _ in points)) for edge in (min, max))
    highest = max(time for _, time in points) * 1.1

    def x(size: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (log10(size) - first) / ((last - first) or 1)

    def y(time: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * time / highest

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(LEFT, 22, "Median time of an answer in ms, by the number of bookings in the table", "start"),
    ]
    for step in range(5):
        time = highest * step / 4
        parts.append(f'<path d="M{LEFT} {y(time):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 8, y(time) + 4, f"{time:.0f}", "end"))
    for size in sorted({size for size, _ in points}):
        parts.append(_text(x(size), HEIGHT - BOTTOM + 20, f"{size:,}".replace(",", " "), "middle"))
    for number, (name, sides) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        for side, measured, dash in zip(("product", "floor"), sides, ("", "5 4"), strict=True):
            places = [(x(size), y(time)) for size, time in measured]
            path = "L".join(f"{left:.1f} {top:.1f}" for left, top in places)
            line = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}" fill="none"'
            parts.append(f'<path d="M{path}" {line}/>')
            parts += [f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3" fill="{colour}"/>' for left, top in places]
            row = TOP + 14 + 44 * number + (20 if side == "floor" else 0)
            parts.append(f'<path d="M{WIDTH - RIGHT + 16} {row - 4}h28" {line}/>')
            parts.append(_text(WIDTH - RIGHT + 52, row, f"{name}, {side}", "start"))
    return "\n".join([*parts, "</svg>\n"])


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
