"""Measure the new model on the test table, and say whether it is better than the
registered one."""

import argparse
import json
from pathlib import Path

import joblib
import mlflow
from sklearn.metrics import mean_squared_error, r2_score

import dataset
import train

METRIC = "mse"


def measure(model, table):
    """The model's metrics on a table."""
    predicted = model.predict(table.x)
    return {METRIC: float(mean_squared_error(table.y, predicted)), "r2": float(r2_score(table.y, predicted))}


def better(new, registered):
    """Whether a model with the metric new takes the place of one with registered; None where there is none."""
    return registered is None or new < registered


def registered_metric(client, name):
    """The newest registered version's metric, or None where nothing is registered under the name.

    A version without the metric is an error: what it is worth cannot be said."""
    versions = client.search_model_versions(f"name='{name}'")
    if not versions:
        return None
    newest = max(versions, key=lambda v: int(v.version))
    if METRIC not in newest.tags:
        raise ValueError(f"version {newest.version} of {name} has no tag {METRIC}: give it one, or delete the version")
    return float(newest.tags[METRIC])


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--data", type=Path, required=True)
    args.add_argument("--model", type=Path, required=True)
    args.add_argument("--name", required=True)
    args.add_argument("--report", type=Path, required=True)
    args = args.parse_args()

    metrics = measure(joblib.load(args.model / train.MODEL_FILE), dataset.read(args.data / "test.csv"))
    with mlflow.start_run():
        mlflow.log_metrics(metrics)
    before = registered_metric(mlflow.MlflowClient(), args.name)
    report = {"metrics": metrics, "registered": before, "better": better(metrics[METRIC], before)}
    args.report.mkdir(parents=True, exist_ok=True)
    (args.report / "report.json").write_text(json.dumps(report))
    print(f"mean squared error {metrics[METRIC]:.2f}, registered {before}: {'better' if report['better'] else 'not better'}")


if __name__ == "__main__":
    main()
