// Package datastore knows how data is named in a workspace (azureml:// URIs,
// asset names, blob URLs) and moves files and folders between disk and blobs.
//
// It has no opinion on who may: each call is made with the token it is given,
// and a blob service refuses what it refuses.
package datastore
