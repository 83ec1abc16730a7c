// Package oracle holds what is read from Terraform against what the real provider
// sends: an endpoint that answers the provider as Azure Resource Manager would and
// records each body, the form in which recordings are kept, and the comparison of
// a recording with an estate.
//
// The endpoint echoes. It checks nothing, runs nothing, listens on the loopback
// alone, and its certificates are made when it starts and are trusted by no one
// but the process that it is started for.
package oracle
