// Package mlflow is a workspace's experiment tracking and model registry, served
// over MLflow's REST API 2.0 so that the plain mlflow client works with it.
//
// Runs, metrics, parameters, tags and model versions are in SQLite; files go to
// the [machinelearning.Artifacts] that the workspace brings, through MLflow's
// artifact proxy protocol (mlflow-artifacts).
//
// It authenticates nobody: the workspace has done so before a request comes here.
//
// Source: MLflow, "REST API" and the client's own requests (mlflow 3.5).
package mlflow
