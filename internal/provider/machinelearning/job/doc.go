// Package job is what a job document of Azure Machine Learning says: a command,
// or a pipeline of commands, with inputs, outputs and the bindings between them.
//
// It reads the REST bodies (both spellings, as clients mix them), finds what is
// wrong with them before anything runs, orders a pipeline's steps, and puts
// values in for expressions such as ${{inputs.data}}.
//
// It is pure: it stores nothing, runs nothing and asks nobody.
//
// Source: Azure/azure-rest-api-specs mfe.json 2024-10-01; Azure ML CLI v2
// documentation, "expression syntax".
package job
