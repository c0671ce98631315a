"""The table that the benchmarks fill."""

rows = []


def row(what, value, unit, limit, at_least=False, digits=3):
    """A figure and what is asked of it."""
    holds = value >= limit if at_least else value <= limit
    asked = f"{'≥' if at_least else '≤'} {limit:.{digits}g} {unit}".rstrip()
    rows.append((what, f"{value:.{digits}g} {unit}".rstrip(), asked, "yes" if holds else "NO"))


def note(what, value):
    """A figure of which nothing is asked."""
    rows.append((what, value, "–", "–"))


def skipped(what, why):
    """A figure that could not be measured here."""
    rows.append((what, f"not measured: {why}", "–", "–"))


def show():
    """Prints the table; says whether everything holds."""
    lines = [("figure", "measured", "asked", "holds"), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    return all(line[3] != "NO" for line in rows)
