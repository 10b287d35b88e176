"""A report as a PDF of A4 pages: figures and tables one below the other."""

import textwrap

import matplotlib
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from prism_analysis.document import WIDTH, Figure, Table, Text
from prism_analysis.style import rc

PAGE, MARGIN = (8.27, 11.69), 0.7  # inches
SIZES = (7.0, 6.5, 6.0, 5.5, 5.0)  # points of a table's text: the largest that fits
LETTER = 0.0085  # inches, mean width of a letter of one point
GAP = 2  # letters between columns
MOST_CELL = 48  # letters; longer texts are broken


class Paper:
    """Fills pages from top to bottom."""

    def __init__(self, file):
        self.file, self.page, self.y = file, None, 0.0

    def open(self):
        self.page = Canvas(figsize=PAGE)
        self.y = PAGE[1] - MARGIN

    def close(self):
        if self.page is not None:
            self.file.savefig(self.page)
            self.page = None

    def room(self, height):
        """A place of this height; a new page where this one has none left."""
        if self.page is None or self.y - height < MARGIN:
            self.close()
            self.open()
        self.y -= height
        return self.y

    def text(self, words, size=9, weight="normal", x=0.0, color="black", gap=0.06, width=None):
        lines = textwrap.wrap(words, width or int(112 * 9 / size)) or [""]
        height = size / 72 * 1.3
        for line in lines:
            y = self.room(height)
            self.page.text((MARGIN + x) / PAGE[0], y / PAGE[1], line, fontsize=size,
                           fontweight=weight, color=color, va="bottom", parse_math=False)
        self.y -= gap


def draw_figure(paper, figure):
    height = figure.height + 0.75
    paper.room(0.0)
    if paper.y - height < MARGIN:
        paper.close()
        paper.open()
    paper.text(figure.title, 10, "bold")
    bottom = paper.room(figure.height)
    box = (MARGIN / PAGE[0], bottom / PAGE[1], (MARGIN + WIDTH) / PAGE[0],
           (bottom + figure.height) / PAGE[1])
    place_figure(paper.page, figure, box)
    paper.text(figure.text, 8, color="0.3", gap=0.22)


def place_figure(page, figure, box):
    """Draws a figure into a part of a page, laid out as if it stood alone: the layout of
    matplotlib knows whole pages only."""
    alone = Canvas(figsize=(WIDTH, figure.height), layout="constrained")
    figure.draw(alone)
    alone.draw_without_rendering()
    left, bottom, right, top = box
    part = page.add_subfigure(page.add_gridspec(1, 1)[0])
    part.bbox_relative.p0, part.bbox_relative.p1 = (left, bottom), (right, top)
    figure.draw(part)
    for there, here in zip(alone.axes, part.axes):
        here.set_position(there.get_position(original=True))


def cells_of(table):
    """(points, rows of cells, each a list of lines; widths in letters) that fit the page."""
    every = [table.head, *table.rows]
    # The head is bold, and so wider.
    widths = [min(MOST_CELL, max([round(1.2 * len(name)), *[len(row[i]) for row in table.rows]]))
              for i, name in enumerate(table.head)]

    def fits(size):
        return (sum(widths) + GAP * (len(widths) - 1)) * size * LETTER <= PAGE[0] - 2 * MARGIN

    size = next((size for size in SIZES if fits(size)), SIZES[-1])
    while not fits(size) and max(widths) > 6:
        widths[widths.index(max(widths))] -= 1
    return size, [[textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths)]
                  for row in every], widths


def draw_row(paper, cells, widths, right, size, weight):
    """Returns where it ends: (x, y) in inches."""
    line, letter = size / 72 * 1.45, size * LETTER
    y = paper.room(line * max(len(cell) for cell in cells))
    top, x = y + line * max(len(cell) for cell in cells), MARGIN
    for cell, width, side in zip(cells, widths, right):
        for i, text in enumerate(cell):
            paper.page.text((x + (width * letter if side else 0)) / PAGE[0],
                            (top - line * (i + 0.75)) / PAGE[1], text, fontsize=size,
                            ha="right" if side else "left", fontweight=weight, parse_math=False)
        x += (width + GAP) * letter
    return x - GAP * letter, y


def draw_table(paper, table):
    paper.room(0.0)
    if paper.y - 0.9 < MARGIN:
        paper.close()
        paper.open()
    paper.text(table.title, 10, "bold")
    if not table.rows:
        paper.text("None.", 8, color="0.3", gap=0.2)
        return
    size, rows, widths = cells_of(table)
    right = [table.to_the_right(i) for i in range(len(widths))]
    for place, cells in enumerate(rows):
        weight = "bold" if place == 0 else "normal"
        x, y = draw_row(paper, cells, widths, right, size, weight)
        paper.page.add_artist(Line2D(
            [MARGIN / PAGE[0], x / PAGE[0]], [(y + 0.005) / PAGE[1]] * 2,
            color="0.3" if place == 0 else "0.85", linewidth=0.5))
    paper.y -= 0.06
    if table.text:
        paper.text(table.text, 8, color="0.3", gap=0.0)
    paper.y -= 0.2


def head(paper, section):
    """The title of a section stays with what it opens."""
    first = next((block for block in section.blocks if not isinstance(block, Text)), None)
    needed = first.height + 0.75 if isinstance(first, Figure) else 1.0
    paper.room(0.25)
    if paper.y - needed - 0.4 < MARGIN:
        paper.close()
        paper.open()
    paper.text(section.title, 13, "bold", gap=0.12)


def write(report, path):
    with matplotlib.rc_context({**rc(), "pdf.fonttype": 42}):
        with PdfPages(path, metadata={"Title": report.title, "CreationDate": None}) as file:
            paper = Paper(file)
            paper.text(report.title, 17, "bold", gap=0.12)
            paper.text(";  ".join(f"{large} {small}" for large, small in report.facts), 10,
                       gap=0.1)
            for line in report.lead:
                paper.text(line)
            for section in report.sections:
                if section.blocks:
                    head(paper, section)
                for block in section.blocks:
                    if isinstance(block, Figure):
                        draw_figure(paper, block)
                    elif isinstance(block, Table):
                        draw_table(paper, block)
                    else:
                        paper.text(block.text, gap=0.12)
            paper.close()
