"""Fit a ridge regression on the training table."""

import argparse
from pathlib import Path

import joblib
import mlflow
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import dataset

MODEL_FILE = "model.joblib"


def fit(table, alpha):
    """A model that scales the measurements and regresses on them; alpha >= 0 is the penalty."""
    if alpha < 0:
        raise ValueError(f"alpha is {alpha}; it must not be negative")
    return make_pipeline(StandardScaler(), Ridge(alpha=alpha)).fit(table.x, table.y)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--data", type=Path, required=True)
    args.add_argument("--alpha", type=float, required=True)
    args.add_argument("--model", type=Path, required=True)
    args = args.parse_args()

    table = dataset.read(args.data / "train.csv")
    with mlflow.start_run():
        model = fit(table, args.alpha)
        mse = mean_squared_error(table.y, model.predict(table.x))
        mlflow.log_param("alpha", args.alpha)
        mlflow.log_metric("training_mse", mse)
    args.model.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, args.model / MODEL_FILE)
    print(f"trained with alpha {args.alpha}: mean squared error {mse:.2f} on {len(table)} rows")


if __name__ == "__main__":
    main()
