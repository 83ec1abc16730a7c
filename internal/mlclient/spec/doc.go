// Package spec reads the YAML files of Azure ML CLI v2: jobs, pipelines,
// components, environments, data, models, online endpoints and deployments.
//
// It says what is wrong with a file by file, line and column, and what was
// probably meant. It reads the files that a file names (components, conda files),
// and opens no connection.
//
// Source: Azure Machine Learning, "CLI (v2) YAML schemas".
package spec
