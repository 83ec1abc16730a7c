package schedule

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// State of a job, in Azure's words.
type State string

// The states, in the order in which a job goes through them. A job that waits
// for its image and one whose node gets its data are both Preparing.
const (
	NotStarted State = "NotStarted"
	Preparing  State = "Preparing"
	Queued     State = "Queued"
	Running    State = "Running"
	Finalizing State = "Finalizing"
	Completed  State = "Completed"
	Failed     State = "Failed"
	Canceled   State = "Canceled"
)

// Ended reports whether a job goes no further.
func (s State) Ended() bool { return s == Completed || s == Failed || s == Canceled }

// Kinds of jobs.
const (
	Pipeline = "Pipeline"
	Command  = "Command"
)

// Job is a stored job.
type Job struct {
	Workspace arm.ID
	Name      string
	Parent    string // name of the pipeline; "" for a job that stands alone
	Step      string // name in the pipeline
	Kind      string
	Body      json.RawMessage // REST properties, as they were asked for
	Work      json.RawMessage // what a node needs to know; the caller's own
	Needs     []string        // steps of the same pipeline
	Continue  bool            // a pipeline that goes on when a step fails
	Cluster   arm.ID
	Submitter json.RawMessage // who asked; the caller's own

	State       State
	Error       string
	CancelAsked bool
	Image       string
	Attempt     int
	Node        int // of the lease; -1 for none
	Lease       string
	LeaseUntil  time.Time
	Created     time.Time
	Started     time.Time // on a node
	Ended       time.Time
}

// Leased reports whether a node has the job.
func (j Job) Leased() bool { return j.Lease != "" && !j.State.Ended() }

// Event is a line of a job's history.
type Event struct {
	Seq     int64
	Job     string
	Time    time.Time
	State   State
	Message string
}

// Errors of this package.
var (
	ErrNotFound  = errors.New("no such job")
	ErrExists    = errors.New("a job of that name exists")
	ErrLeaseLost = errors.New("the lease is no longer held")
)

// MaxAttempts is how often a job is given to a node before it is given up.
const MaxAttempts = 3
