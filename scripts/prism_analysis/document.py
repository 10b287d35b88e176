"""What a report is made of, before it becomes a page or a PDF."""

import re
from dataclasses import dataclass, field
from typing import Callable

WIDTH = 5.2  # inches of every figure: still readable when a phone shrinks it


@dataclass
class Figure:
    """draw(figure) fills a matplotlib figure (or a part of one)."""
    title: str
    text: str  # what is seen; also what is read out to those who do not see it
    draw: Callable
    height: float = 3.2  # inches


@dataclass
class Table:
    title: str
    head: list
    rows: list  # of texts
    text: str = ""

    def to_the_right(self, column):
        """Numbers are set flush right."""
        cells = [row[column] for row in self.rows if row[column] not in ("", "-")]
        return bool(cells) and all(re.match(r"[-+<>]? ?[\d∞]", cell) for cell in cells)


@dataclass
class Text:
    text: str


@dataclass
class Section:
    title: str
    blocks: list = field(default_factory=list)
    folded: bool = False  # closed on the screen until asked for

    def tables(self):
        return [block for block in self.blocks if isinstance(block, Table)]

    def figures(self):
        return [block for block in self.blocks if isinstance(block, Figure)]


@dataclass
class Report:
    title: str
    lead: list  # sentences
    sections: list
    facts: list = field(default_factory=list)  # (large text, small text) of the head


def number(value, digits=3):
    """A real number as short as it can be: 0.123, 12.3, 1,230."""
    if value is None or value != value:
        return "-"
    if value in (float("inf"), float("-inf")):
        return "∞"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def count(value):
    return "-" if value is None or value != value else f"{int(value):,}"


def per_second(value):
    if value is None or value != value:
        return "-"
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def percent(value):
    return "-" if value is None or value != value else f"{100 * value:.3g} %"


def with_interval(value, bounds, show=number):
    """'2.31 (1.9 to 3.02)'"""
    if value is None or bounds is None:
        return show(value)
    return f"{show(value)} ({show(bounds[0])} to {show(bounds[1])})"


def probability(p):
    return "-" if p is None else "< 0.001" if p < 0.001 else f"{p:.2g}"
