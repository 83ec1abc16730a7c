// Package rulebook holds, for each rule of check, an example in Terraform that it
// finds and the same with the fault mended: what cloister explain shows, and the
// catalogue that the tests hold the rules against.
//
// It reads only what is built into it, and proves nothing itself.
package rulebook
