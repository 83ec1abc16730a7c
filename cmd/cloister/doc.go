// Command cloister runs machine learning operations behind private networks and
// proves that they are private.
//
// It reads arguments and prints what packages answer: one file a verb, and no
// logic of its own. It never decides what a document means, and nothing imports it.
package main
