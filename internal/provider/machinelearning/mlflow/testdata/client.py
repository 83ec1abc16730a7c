"""What a training script and a registry user do, by the plain mlflow client."""

import math
import pathlib
import tempfile

import mlflow
from mlflow.exceptions import MlflowException

MODEL = "client-test"

mlflow.set_experiment("client")
with mlflow.start_run(run_name="first") as run:
    mlflow.log_param("alpha", 0.4)
    mlflow.log_metric("mse", 3.5)
    mlflow.log_metrics({"nan": math.nan, "r2": 0.3}, step=2)
    mlflow.set_tag("stage", "test")
    mlflow.log_text("hello # ?", "notes/read me.txt")

client = mlflow.MlflowClient()
found = client.get_run(run.info.run_id)
assert found.info.status == "FINISHED", found.info
assert found.data.params == {"alpha": "0.4"}, found.data
assert math.isnan(found.data.metrics["nan"]) and found.data.metrics["mse"] == 3.5
assert [f.path for f in client.list_artifacts(run.info.run_id, "notes")] == ["notes/read me.txt"]
assert mlflow.artifacts.load_text(found.info.artifact_uri + "/notes/read me.txt") == "hello # ?"
assert len(client.search_runs([run.info.experiment_id], "metrics.mse < 4 and params.alpha = '0.4'")) == 1

with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "model.bin").write_bytes(b"\0\1")
    client.log_artifacts(run.info.run_id, folder, "model")
client.create_registered_model(MODEL)
try:
    client.create_registered_model(MODEL)
    raise AssertionError("a second model of the same name")
except MlflowException as error:
    assert error.error_code == "RESOURCE_ALREADY_EXISTS", error
version = client.create_model_version(MODEL, f"runs:/{run.info.run_id}/model", run.info.run_id, tags={"mse": "3.5"})
assert version.version in (1, "1"), version
assert client.search_model_versions(f"name='{MODEL}'")[0].tags == {"mse": "3.5"}
client.set_registered_model_alias(MODEL, "champion", "1")
assert str(client.get_model_version_by_alias(MODEL, "champion").version) == "1"
with tempfile.TemporaryDirectory() as folder:
    path = mlflow.artifacts.download_artifacts(f"models:/{MODEL}/1", dst_path=folder)
    assert pathlib.Path(path, "model.bin").read_bytes() == b"\0\1"
client.delete_model_version(MODEL, "1")
client.delete_registered_model(MODEL)
assert client.search_registered_models(f"name='{MODEL}'") == []
