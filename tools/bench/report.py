"""The results as text that lines up."""

# key: (label, whether min and max are told)
COLUMNS = {
    "cpu_us": ("CPU us", True),
    "rate": ("rate/s", True),
    "bytes_s": ("bytes/s", True),
    "p50_us": ("p50 us", False),
    "p99_us": ("p99 us", False),
    "p999_us": ("p99.9 us", False),
    "max_us": ("max us", False),
    "session_bytes": ("bytes", True),
    "empty_bytes": ("bytes at 0", False),
    "ready_ms": ("ms", True),
    "wait_ms": ("ms", True),
    "grown": ("parts", True),
    "growth": ("times", True),
    "few_us": ("us at 100", False),
    "many_us": ("us at 10,000", False),
    "calls": ("calls", False),
    "instructions": ("instr.", False),
}
WAITED = 0.1  # from here on, others had the server's CPU
BUSY, LOAD_BUSY = 0.9, 0.97


def number(value):
    """Three digits that matter: 0.0710, 204, 13.9k, 4.93M."""
    for limit, divisor, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= limit:
            return number(value / divisor) + unit
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def figure(value, has_spread):
    if not value:
        return ["-"] * (3 if has_spread else 2)
    if "failed" in value:
        return ["failed"] + ["-"] * (2 if has_spread else 1)
    ratio = value.get("ratio")
    texts = [number(value["median"])]
    if has_spread:
        texts.append(f"({number(value['min'])}-{number(value['max'])})")
    return texts + ["-" if ratio is None else f"{ratio:.2f}"]


def remark(row):
    """What makes one doubt a row."""
    words = []
    if row.get("lost"):
        words.append(f"lost {row['lost']} of {row['messages'] + row['lost']}")
    if row.get("waited", 0) > WAITED:
        words.append(f"waited {row['waited']:.0%}")
    if row.get("load_busy", 0) > LOAD_BUSY and row["busy"] < BUSY:
        words.append("the load is the limit")
    return ", ".join(words)


def keys_of(table, rows):
    counts = [k for k in ("calls", "instructions") if any(k in row for row in rows)]
    return [*table.figures, *counts]


def head(table, keys):
    words = [""]
    for key in keys:
        label, has_spread = COLUMNS[key]
        words += [label, "(min-max)", "x"] if has_spread else [label, "x"]
        if key == table.main:
            words.append("score")
    return words + [""]


def cells(table, row, keys):
    if "failed" in row:
        return [row["server"], row["failed"]]
    words = [row["server"]]
    for key in keys:
        words += figure(row.get(key), COLUMNS[key][1])
        if key == table.main:
            words.append(f"{row['score']:.2f}" if "score" in row else "-")
    return words + [remark(row)]


def aligned(rows):
    """A row of two cells is a name and a sentence."""
    whole = [row for row in rows if len(row) > 2]
    widths = [max(len(row[i]) for row in whole) for i in range(len(whole[0]))]
    first = max(len(row[0]) for row in rows)
    lines = []
    for row in rows:
        words = [row[0].ljust(first)]
        if len(row) > 2:
            words += [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:])]
        lines.append("  ".join([*words, row[-1]]).rstrip())
    return lines


def case_text(table, case):
    rows = case["rows"]
    keys = keys_of(table, rows)
    lines = aligned([head(table, keys)] + [cells(table, row, keys) for row in rows])
    if case.get("note"):
        lines += ["", case["note"]]
    title = f"{table.title}: {case['name']} (for each {table.per})"
    return "\n".join([title, *("  " + line if line else "" for line in lines), ""])
