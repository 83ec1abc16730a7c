// Package remark reads what users write beside the resources of their Terraform
// for cloister: comments that switch a rule off, and the attributes that
// lifecycle.ignore_changes leaves to others.
//
// A comment is
//
//	# cloister:ignore RULE reason
//
// in the lines directly above a resource's block, or anywhere in it. The reason is
// not optional.
package remark
