// Command cloisterd is the whole program: the commands that read and prove, those
// about a running cloud, and the cloud itself with all that it starts. Users call
// cloister, which hands over to it; inside the machines of a cloud it is cloister.
//
// It reads arguments and prints what packages answer: one file a verb, and no
// logic of its own. It never decides what a document means, and nothing imports it.
package main
