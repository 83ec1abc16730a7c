package task

import "time"

// Claim asks for a task. The workspace holds the call until there is one, at
// most Wait.
type Claim struct {
	Node int `json:"node"`
	Wait int `json:"waitSeconds"`
}

// Task is a command to run.
type Task struct {
	Lease      string `json:"lease"`
	LeaseTime  int    `json:"leaseSeconds"` // a heartbeat must come within it
	Job        string `json:"job"`
	Name       string `json:"name"` // for people: the step's name
	Attempt    int    `json:"attempt"`
	Image      string `json:"image"` // reference with digest
	Command    string `json:"command"`
	WorkingDir string `json:"workingDir"`
	// Downloads are there before the command starts, Uploads are taken after it
	// has ended well; Folders (the outputs' targets) are made empty and writable.
	Downloads []Download        `json:"downloads,omitempty"`
	Uploads   []Upload          `json:"uploads,omitempty"`
	Env       map[string]string `json:"env,omitempty"`
	Timeout   int               `json:"timeoutSeconds,omitempty"` // 0: none
	CPUs      float64           `json:"cpus,omitempty"`
	Memory    int64             `json:"memory,omitempty"`
	// LogURL is the blob that gets a copy of the log at the end.
	LogURL string `json:"logUrl,omitempty"`
}

// Download is a blob, or everything below a prefix when File is false.
type Download struct {
	Name     string `json:"name"` // of the input; "code" for the code
	URL      string `json:"url"`
	Target   string `json:"target"` // path inside
	File     bool   `json:"file,omitempty"`
	Writable bool   `json:"writable,omitempty"`
	// MayBeEmpty is of another step's output: the step may have left nothing there.
	MayBeEmpty bool `json:"mayBeEmpty,omitempty"`
}

// Upload is a folder, or one file, to be put below URL.
type Upload struct {
	Name   string `json:"name"`
	Source string `json:"source"` // path inside
	URL    string `json:"url"`
	File   bool   `json:"file,omitempty"`
}

// Heartbeat renews the lease.
type Heartbeat struct {
	State string `json:"state"` // Preparing, Running, Finalizing
}

// Answer to a heartbeat.
type Answer struct {
	Cancel bool `json:"cancel,omitempty"` // the job was cancelled: end it
}

// Offset is how many bytes of the log the workspace has.
type Offset struct {
	Offset int64 `json:"offset"`
}

// Result is how a task ended.
type Result struct {
	ExitCode int    `json:"exitCode"`
	Error    string `json:"error,omitempty"` // why it could not be run, or what failed beside the command
	Canceled bool   `json:"canceled,omitempty"`
}

// LeaseLost is the error code of a lease that the node no longer holds.
const LeaseLost = "LeaseLost"

// MaxLog bounds one piece of log.
const MaxLog = 1 << 20

// LeaseTime is how long a lease lasts without a heartbeat.
const LeaseTime = 15 * time.Second
