"""Register the new model when the evaluation found it better."""

import argparse
import json
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException


def register(client, name, run_id, model, metrics):
    """Keep the model's files with the run and make them the next version of name."""
    client.log_artifacts(run_id, str(model), "model")
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {key: repr(value) for key, value in metrics.items()}
    return client.create_model_version(name, f"runs:/{run_id}/model", run_id, tags=tags)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--model", type=Path, required=True)
    args.add_argument("--report", type=Path, required=True)
    args.add_argument("--name", required=True)
    args = args.parse_args()

    report = json.loads((args.report / "report.json").read_text())
    if not report["better"]:
        print(f"{args.name} stays as it is: the new model is not better")
        return
    with mlflow.start_run() as run:
        version = register(mlflow.MlflowClient(), args.name, run.info.run_id, args.model, report["metrics"])
    print(f"registered {args.name} version {version.version}")


if __name__ == "__main__":
    main()
