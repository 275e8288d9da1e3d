"""Plain tables for terminals, Markdown and notebooks."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

Rows = Sequence[Sequence[str]]


def number(value: object, digits: int) -> str:
    """Format a number to that many decimals; a dash where it is unknown."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return f"{value:.{digits}f}"


def signed(value: float, digits: int) -> str:
    """Format a difference with its sign."""
    text = number(value, digits)
    return text if text.startswith("-") or text == "inf" else f"+{text}"


def p_value(value: float, digits: int) -> str:
    """Format a p-value; never as zero."""
    least = 10.0**-digits
    return f"<{least:.{digits}f}" if value < least else number(value, digits)


def seconds(value: float) -> str:
    """Format a duration with three significant digits."""
    return "-" if math.isnan(value) else f"{value:.3g}"


def markdown(header: Sequence[str], rows: Rows) -> str:
    """Align a table; the first column to the left, the others to the right."""
    cells = [[str(c).replace("|", "\\|") for c in line] for line in (header, *rows)]
    widths = [max(3, *(len(line[i]) for line in cells)) for i in range(len(header))]
    lines = [
        "| " + " | ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        ) + " |"
        for line in cells
    ]
    rule = "|" + "|".join(
        "-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths)
    ) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def html_table(header: Sequence[str], rows: Rows, notes: Sequence[str] = ()) -> str:
    """Write an HTML table with its notes below."""
    head = "".join(f"<th>{html.escape(str(c))}</th>" for c in header)
    body = "".join(
        "<tr>" + "".join(
            f"<{tag}>{html.escape(str(c))}</{tag}>"
            for c, tag in zip(line, ["th", *["td"] * (len(line) - 1)])
        ) + "</tr>"
        for line in rows
    )
    below = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"
