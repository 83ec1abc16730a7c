// Package machinelearning is the resource provider of
// Microsoft.MachineLearningServices: workspaces, compute clusters, jobs and
// pipelines, environments, data, models, online endpoints.
//
// The parts, each in a folder of its own:
//
//	job        what a job document says, and what its bindings mean
//	schedule   which step runs when and where; durable
//	asset      versions of environments, code, components and data; durable
//	datastore  azureml:// names, and the blobs behind them
//	task       the protocol between the workspace and its compute nodes
//	scoring    the program that serves a model with the user's scoring script
//	online     deployments of an online endpoint, and the traffic between them
//
// This folder holds the resource types, the REST API of a workspace's children
// and the services at the workspace's and the endpoints' host names.
//
// It makes no machine, no image and no process: those are behind [Nodes],
// [Images] and [Instances]. It keeps no runs and no models: those are the
// workspace's MLflow store, behind [Tracking]. It reaches blobs as any other
// client does, over the blob protocol with the workspace's identity.
package machinelearning
