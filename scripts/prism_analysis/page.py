"""A report as one HTML page that needs nothing else: figures as SVG inside, no scripts from
elsewhere; for a desk, a phone and paper."""

import html
import io
import re

import matplotlib
from matplotlib.figure import Figure as Canvas

from prism_analysis.document import WIDTH, Figure, Table, Text
from prism_analysis.style import rc

LONG = 44  # letters of a cell that may be broken

CSS = """
:root { color-scheme: light; --ink: #1a1a1a; --soft: #5a5a5a; --line: #d8d8d8; --blue: #0072B2; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; background: #fff; color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .4rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2rem 0 .6rem; padding-top: .6rem; border-top: 2px solid var(--ink);
  overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 0 0 .3rem; }
p { margin: .4rem 0; max-width: 46rem; }
.facts { display: flex; flex-wrap: wrap; gap: .6rem 2rem; margin: 1rem 0; padding: 0; }
.facts div { min-width: 5rem; }
.facts dt { font-size: 1.5rem; font-weight: 600; line-height: 1.2; color: var(--blue); }
.facts dd { margin: 0; color: var(--soft); font-size: .875rem; }
.figures { columns: 2 27rem; column-gap: 1.6rem; margin: 1.2rem 0 0; }
figure { margin: 0; padding-bottom: 1.6rem; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; max-width: 34rem; }
figcaption, .note { color: var(--soft); font-size: .875rem; max-width: 46rem; }
.table { margin: 1.2rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem .25rem 0; text-align: left; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; }
td { white-space: nowrap; min-width: 2.5rem; }
td.w { white-space: normal; min-width: 16rem; overflow-wrap: anywhere; }
summary { font-size: 1.25rem; font-weight: 600; cursor: pointer; overflow-wrap: anywhere; }
details { margin: 2rem 0 .6rem; padding-top: .6rem; border-top: 2px solid var(--ink); }
footer { margin-top: 3rem; color: var(--soft); font-size: .8rem; }
@media (max-width: 40rem) { body { padding: .7rem; } h1 { font-size: 1.35rem; } }
@media print {
  @page { size: A4; margin: 14mm; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  h2, h3, summary { break-after: avoid; }
  .figures { display: grid; grid-template-columns: 1fr 1fr; gap: 0 6mm; align-items: start; }
  figure { padding-bottom: 4mm; }
  figcaption, .note, footer { font-size: 7.5pt; line-height: 1.35; }
  .scroll { overflow: visible; }
  table { font-size: 6.5pt; } tr { break-inside: avoid; }
  th, td { padding: .4mm 2mm .4mm 0; } th { white-space: normal; vertical-align: bottom; }
  td.w { min-width: 30mm; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
}
"""
# On paper nothing stays closed.
SCRIPT = """
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(
  (d) => { d.dataset.was = d.open ? "1" : ""; d.open = true; }));
addEventListener("afterprint", () => document.querySelectorAll("details").forEach(
  (d) => { d.open = d.dataset.was === "1"; }));
"""


def escape(text):
    return html.escape(str(text), quote=True)


def svg_of(figure, key):
    """The drawing as an SVG element; its ids get a prefix, as all share one page."""
    with matplotlib.rc_context({**rc(), "svg.hashsalt": key}):
        canvas = Canvas(figsize=(WIDTH, figure.height), layout="constrained")
        figure.draw(canvas)
        out = io.StringIO()
        canvas.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg"):]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{key}-', text)
    text = re.sub(r"url\(#", f"url(#{key}-", text)
    text = re.sub(r'href="#', f'href="#{key}-', text)
    text = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", text, count=1)
    text = re.sub(r'<svg ([^>]*?)height="[^"]*"', r"<svg \1", text, count=1)
    label = escape(f"{figure.title}. {figure.text}")
    return re.sub(r"\n\s*\n", "\n", text.replace("<svg ", f'<svg role="img" aria-label="{label}" ',
                                                 1)).strip()


def figure_html(figure, key):
    return (f"<figure><h3>{escape(figure.title)}</h3>\n{svg_of(figure, key)}\n"
            f"<figcaption>{escape(figure.text)}</figcaption></figure>")


def table_html(table):
    right = [table.to_the_right(i) for i in range(len(table.head))]

    def row(cells, tag):
        return "<tr>" + "".join(
            f"<{tag}{' class=n' if side else ' class=w' if len(cell) > LONG else ''}>"
            f"{escape(cell)}</{tag}>" for cell, side in zip(cells, right)) + "</tr>"

    body = "\n".join(row(cells, "td") for cells in table.rows)
    note = f'<p class="note">{escape(table.text)}</p>' if table.text else ""
    empty = '<p class="note">None.</p>' if not table.rows else ""
    grid = (f'<div class="scroll"><table><thead>{row(table.head, "th")}</thead>\n<tbody>{body}'
            "</tbody></table></div>" if table.rows else "")
    return f'<div class="table"><h3>{escape(table.title)}</h3>\n{grid}{empty}{note}</div>'


def section_html(section, key):
    parts, group = [], []

    def close():
        if group:
            parts.append('<div class="figures">\n' + "\n".join(group) + "\n</div>")
            group.clear()

    # Figures first, side by side where there is room; then what they rest on.
    blocks = ([block for block in section.blocks if isinstance(block, Text)]
              + section.figures() + section.tables())
    if section.blocks and isinstance(section.blocks[0], Table):
        blocks.remove(section.blocks[0])
        blocks.insert(0, section.blocks[0])
    for place, block in enumerate(blocks):
        if isinstance(block, Figure):
            group.append(figure_html(block, f"{key}f{place}"))
            continue
        close()
        parts.append(table_html(block) if isinstance(block, Table)
                     else f"<p>{escape(block.text)}</p>")
    close()
    inside = "\n".join(parts)
    if section.folded:
        return f"<details><summary>{escape(section.title)}</summary>\n{inside}\n</details>"
    return f"<section><h2>{escape(section.title)}</h2>\n{inside}\n</section>"


def page(report, version):
    facts = "".join(f"<div><dt>{escape(large)}</dt><dd>{escape(small)}</dd></div>"
                    for large, small in report.facts)
    lead = "".join(f"<p>{escape(text)}</p>" for text in report.lead)
    body = "\n".join(section_html(section, f"s{place}")
                     for place, section in enumerate(report.sections))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(report.title)}</title>
<style>{CSS}</style>
</head>
<body>
<header><h1>{escape(report.title)}</h1>
<dl class="facts">{facts}</dl>
{lead}</header>
{body}
<footer>prism report {escape(version)}. Fields and units: docs/TELEMETRY.md; statistics:
docs/ANALYSIS.md.</footer>
<script>{SCRIPT}</script>
</body>
</html>
"""
