// Package command holds the commands that read and prove (show, check, diff, explain,
// graph), what every command shares (exit statuses, the flags of an estate), and the
// names of the commands of a running cloud.
//
// Two programs are made of it. cloister has these commands alone, so that it starts
// in a few milliseconds, and hands every other over to cloisterd, which is the whole
// program. This package never reaches a cloud and imports nothing that runs one.
package command
