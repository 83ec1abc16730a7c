"""Answer scoring requests: {"data": [[ten measurements], ...]} gives {"result": [...]}."""

import json
import os
from pathlib import Path

import joblib
import numpy as np

import dataset
import train

MAX_ROWS = 10_000

_model = None


def init():
    """Load the model once, before the first request."""
    global _model  # the scoring contract has no other place for it
    _model = joblib.load(next(Path(os.environ["AZUREML_MODEL_DIR"]).rglob(train.MODEL_FILE)))


def run(raw):
    """Score one request; what is wrong with it is said in the answer."""
    try:
        rows = parse(raw)
    except ValueError as error:
        return {"error": str(error)}
    return {"result": [float(v) for v in _model.predict(rows)]}


def parse(raw):
    """The rows of a request as an n x 10 array."""
    try:
        data = json.loads(raw)["data"]
        rows = np.array(data, dtype=float)
    except (ValueError, TypeError, KeyError):
        raise ValueError('the request must be {"data": [[ten numbers], ...]}') from None
    if rows.ndim != 2 or rows.shape[1] != len(dataset.FEATURES) or not 0 < len(rows) <= MAX_ROWS:
        raise ValueError(f"the request must have 1 to {MAX_ROWS} rows of {len(dataset.FEATURES)} numbers")
    if not np.isfinite(rows).all():
        raise ValueError("the request has a number that is not finite")
    return rows
