"""The tables of a result in Python: pyarrow opens the Arrow files, polars works on them.

pip install pyarrow polars; python docs/examples/tables.py forkcast-out
In a notebook, the cells are the paragraphs below. Times are int64 nanoseconds; null is unknown, never 0.
"""

import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pyarrow as pa

tables = Path(sys.argv[1] if len(sys.argv) > 1 else "forkcast-out") / "tables"


def read(name: str) -> pl.DataFrame:
    with pa.memory_map(str(tables / f"{name}.arrow")) as source:
        return pl.from_arrow(pa.ipc.open_file(source).read_all())


forks = read("forks")
verdicts = read("verdicts")

# How each policy decides: forks by decision and verdict.
print(
    verdicts.group_by("policy", "decision", "verdict").len().sort("policy", "decision", "verdict", nulls_last=True)
)

# Who denies the fast path: a fork can have several causes.
denied = verdicts.filter(pl.col("policy").cast(pl.String) == "counts-unlocked")["denied_by"]
for cause, count in Counter(cause for causes in denied.to_list() for cause in causes).most_common():
    print(f"{cause}: {count} forks")

# Window lengths in microseconds by command.
print(
    forks.with_columns(((pl.col("end_ns") - pl.col("start_ns")) / 1000).alias("window_us"))
    .group_by("comm")
    .agg(pl.len().alias("forks"), pl.col("window_us").median())
    .sort("forks", descending=True)
)
