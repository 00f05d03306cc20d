"""A chart of each table: a panel for each case, a row for each server. It shows
ratios to the first server of the case, the bare one, on a logarithmic axis: a
dot at the median, a line from the least to the most."""

import math
import os
from html import escape

from report import COLUMNS, number

WIDTH, LABELS, FIGURES = 800, 210, 150
ROW, HEAD, PANEL_HEAD, PANEL_FOOT, FOOT = 22, 48, 30, 8, 44
COLOURS = {"reference": "#6b7280", "playground": "#1d6fb8", "peer": "#c2410c"}
STYLE = """
text { font: 13px sans-serif; fill: #1f2937 }
.title { font-size: 16px; font-weight: bold }
.case { font-weight: bold }
.quiet { fill: #6b7280; font-size: 12px }
.grid { stroke: #e5e7eb }
.one { stroke: #9ca3af; stroke-width: 1.5 }
"""


class Axis:
    """Where a ratio stands."""

    def __init__(self, ratios):
        self.low = math.log10(min([*ratios, 0.8]) / 1.1)
        self.high = math.log10(max([*ratios, 1.25]) * 1.1)

    def x(self, ratio):
        share = (math.log10(ratio) - self.low) / (self.high - self.low)
        return LABELS + share * (WIDTH - LABELS - FIGURES)

    def ticks(self):
        """1, 2 and 5 of each decade; 1.5 and 0.7 too where there is room."""
        steps = (1, 1.5, 2, 3, 5, 7) if self.high - self.low < 1 else (1, 2, 5)
        return [
            step * 10.0**power
            for power in range(math.floor(self.low), math.ceil(self.high) + 1)
            for step in steps
            if self.low <= math.log10(step * 10.0**power) <= self.high
        ]


def text(x, y, words, kind="", anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
            f"{escape(words)}</text>")


def line(x1, y1, x2, y2, style):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def dot(axis, row, value, base, y):
    colour = COLOURS[row["kind"]]
    least, middle, most = (axis.x(value[k] / base) for k in ("min", "median", "max"))
    return [
        line(least, y, most, y, f'stroke="{colour}" stroke-width="2"'),
        f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>',
    ]


def one_row(axis, row, key, base, y):
    label = text(LABELS - 12, y + 4, row["server"], anchor="end")
    if "failed" in row:
        return [label, text(LABELS, y + 4, row["failed"], "quiet")]
    value = row[key]
    right = [text(WIDTH - 70, y + 4, number(value["median"]), anchor="end")]
    if value["ratio"] is not None:
        right.append(text(WIDTH - 12, y + 4, f"x {value['ratio']:.2f}", anchor="end"))
    return [label, *dot(axis, row, value, base, y), *right]


def base_of(case, key):
    """The median of the first row; None: there is nothing to compare with."""
    return case["rows"][0].get(key, {}).get("median")


def ratios_of(cases, key):
    for case in cases:
        for row in case["rows"]:
            for part in ("median", "min", "max") if key in row else ():
                yield row[key][part] / base_of(case, key)


def panels(cases, key, axis):
    parts, y = [], HEAD
    for case in cases:
        parts.append(text(12, y + 20, case["name"], "case"))
        y += PANEL_HEAD
        for row in case["rows"]:
            parts += one_row(axis, row, key, base_of(case, key), y + ROW / 2)
            y += ROW
        y += PANEL_FOOT
    return parts, y


def grid(axis, bottom):
    parts = []
    for tick in axis.ticks():
        kind = "one" if abs(tick - 1) < 1e-9 else "grid"
        parts.append(line(axis.x(tick), HEAD, axis.x(tick), bottom, f'class="{kind}"'))
        parts.append(text(axis.x(tick), bottom + 16, f"{tick:g}", "quiet", "middle"))
    return parts


def chart(results, table):
    """The SVG of one table, or None: nothing to draw."""
    key = table.main
    cases = [case for case in results["cases"] if base_of(case, key)]
    ratios = list(ratios_of(cases, key))
    if not ratios or min(ratios) <= 0:
        return None
    axis = Axis(ratios)
    body, bottom = panels(cases, key, axis)
    height = bottom + FOOT
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        text(12, 26, f"{table.title}: {COLUMNS[key][0]} a {table.per}", "title"),
        *grid(axis, bottom),
        *body,
        text(12, height - 8, "ratio to the first row of each case, logarithmic; dot: "
             "median of the rounds; line: least to most", "quiet"),
        "</svg>",
        "",
    ])


def write_charts(results, tables, folder):
    os.makedirs(folder, exist_ok=True)
    for table in results["tables"]:
        drawing = chart(table, tables[table["name"]])
        if drawing:
            path = os.path.join(folder, table["name"] + ".svg")
            with open(path, "w", encoding="utf-8") as file:
                file.write(drawing)
