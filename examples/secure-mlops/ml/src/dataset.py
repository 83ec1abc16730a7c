"""The diabetes study's table: 442 patients, ten measurements, and how far the
disease had gone a year later (Efron, Hastie, Johnstone and Tibshirani, "Least
Angle Regression", 2004; the copy that scikit-learn ships)."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FEATURES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
TARGET = "progression"


@dataclass(frozen=True)
class Table:
    """Rows of measurements (n x 10) and what is to be predicted (n)."""

    x: np.ndarray
    y: np.ndarray

    def __len__(self):
        return len(self.y)


def read(path):
    """Read a table; a missing column or a cell that is no finite number is an error that names it."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        missing = [c for c in (*FEATURES, TARGET) if c not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}: the column {missing[0]} is missing")
        x, y = [], []
        for row in rows:
            x.append([_number(path, rows.line_num, row, c) for c in FEATURES])
            y.append(_number(path, rows.line_num, row, TARGET))
    if not y:
        raise ValueError(f"{path}: the table has no rows")
    return Table(np.array(x), np.array(y))


def _number(path, line, row, column):
    try:
        value = float(row[column])
    except (TypeError, ValueError):
        raise ValueError(f"{path}:{line}: {column} is {row[column]!r}, not a number") from None
    if not np.isfinite(value):
        raise ValueError(f"{path}:{line}: {column} is {value}, not a finite number")
    return value


def write(path, table):
    """Write a table so that read gives back the same numbers."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow((*FEATURES, TARGET))
        for x, y in zip(table.x, table.y, strict=True):
            out.writerow([*(repr(float(v)) for v in x), repr(float(y))])
