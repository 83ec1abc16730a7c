// Package expression is the expression language of Azure Pipelines: what stands
// inside ${{ }}, $[ ] and condition.
//
// It parses and evaluates over plain values and never reads a file, a clock or
// the network: what an expression can see (variables, dependencies, parameters)
// and the status functions are given to it. Input is bounded in length and depth,
// and evaluation in work, so an expression from a repository can never take more
// than its share.
package expression
