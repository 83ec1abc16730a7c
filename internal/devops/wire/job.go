package wire

import "time"

// Job is the body of a MessageJob: all that an agent needs to know of a job.
type Job struct {
	MessageType    string                   `json:"messageType"`
	Plan           Plan                     `json:"plan"`
	Timeline       TimelineRef              `json:"timeline"`
	JobID          string                   `json:"jobId"`
	JobDisplayName string                   `json:"jobDisplayName"`
	JobName        string                   `json:"jobName"`
	RequestID      int64                    `json:"requestId"`
	LockedUntil    time.Time                `json:"lockedUntil"`
	Resources      Resources                `json:"resources"`
	Variables      map[string]VariableValue `json:"variables"`
	Steps          []Step                   `json:"steps"`
	MaskHints      []MaskHint               `json:"mask"`
	Workspace      *Workspace               `json:"workspace,omitempty"`
}

// Plan names the run of which the job is a part.
type Plan struct {
	ScopeIdentifier string `json:"scopeIdentifier"`
	PlanType        string `json:"planType"`
	PlanID          string `json:"planId"`
	Version         int    `json:"version"`
}

// TimelineRef names a timeline.
type TimelineRef struct {
	ID string `json:"id"`
}

// Workspace says what to delete before the job: outputs, resources or all.
type Workspace struct {
	Clean string `json:"clean,omitempty"`
}

// Resources are the connections and repositories of a job.
type Resources struct {
	Endpoints    []Endpoint   `json:"endpoints"`
	Repositories []Repository `json:"repositories"`
}

// SystemConnection is the name of the endpoint by which a job reports.
const SystemConnection = "SystemVssConnection"

// Endpoint is a service connection.
type Endpoint struct {
	Name          string                `json:"name"`
	URL           string                `json:"url"`
	Authorization EndpointAuthorization `json:"authorization"`
}

// EndpointAuthorization holds an endpoint's credentials.
type EndpointAuthorization struct {
	Scheme     string            `json:"scheme"`
	Parameters map[string]string `json:"parameters"`
}

// Repository is what a checkout step checks out.
type Repository struct {
	Alias      string               `json:"alias"`
	ID         string               `json:"id"`
	Type       string               `json:"type"` // Git
	Version    string               `json:"version"`
	URL        string               `json:"url"`
	Properties RepositoryProperties `json:"properties"`
}

// RepositoryProperties describe a repository.
type RepositoryProperties struct {
	Name string `json:"name"`
	Ref  string `json:"ref"`
}

// VariableValue is a variable as an agent sees it.
type VariableValue struct {
	Value      string `json:"value"`
	IsSecret   bool   `json:"isSecret,omitempty"`
	IsReadOnly bool   `json:"isReadOnly,omitempty"`
}

// MaskHint is a value that must not be shown.
type MaskHint struct {
	Type  string `json:"type"` // value
	Value string `json:"value"`
}

// Step is one step of a job.
type Step struct {
	Type             string            `json:"type"` // task
	Reference        TaskReference     `json:"reference"`
	ID               string            `json:"id"`
	Name             string            `json:"name"`
	DisplayName      string            `json:"displayName"`
	Enabled          bool              `json:"enabled"`
	Condition        string            `json:"condition,omitempty"`
	ContinueOnError  bool              `json:"continueOnError"`
	TimeoutInMinutes int               `json:"timeoutInMinutes"`
	Inputs           map[string]string `json:"inputs"`
	Environment      map[string]string `json:"environment"`
}

// TaskReference names the task that a step runs.
type TaskReference struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Version string `json:"version"`
}

// The tasks that stand behind the steps' short forms.
var (
	TaskScript   = TaskReference{ID: "d9bafed4-0b18-4f58-968d-86655b4d2ce9", Name: "CmdLine", Version: "2.0.0"}
	TaskBash     = TaskReference{ID: "6c731c3c-3c68-459a-a5c9-bde6e6595b5b", Name: "Bash", Version: "3.0.0"}
	TaskCheckout = TaskReference{ID: "6d15af64-176c-496d-b583-fd2ae21d4df4", Name: "Checkout", Version: "1.0.0"}
	TaskPublish  = TaskReference{ID: "ecdc45f6-832d-4ad9-b52b-ee49e94659be", Name: "PublishPipelineArtifact", Version: "1.0.0"}
	TaskDownload = TaskReference{ID: "61f2a582-95ae-4948-b34d-a1b3c4f6a737", Name: "DownloadPipelineArtifact", Version: "2.0.0"}
)

// Record is one line of a timeline: a stage, a job or a step (Task).
type Record struct {
	ID              string                   `json:"id"`
	ParentID        string                   `json:"parentId,omitempty"`
	Type            string                   `json:"type,omitempty"` // Stage, Job, Task
	Name            string                   `json:"name,omitempty"`
	Identifier      string                   `json:"identifier,omitempty"` // stage.job.step
	StartTime       *time.Time               `json:"startTime,omitempty"`
	FinishTime      *time.Time               `json:"finishTime,omitempty"`
	State           string                   `json:"state,omitempty"` // pending, inProgress, completed
	Result          string                   `json:"result,omitempty"`
	ResultCode      string                   `json:"resultCode,omitempty"`
	ChangeID        int64                    `json:"changeId,omitempty"`
	WorkerName      string                   `json:"workerName,omitempty"`
	Order           int                      `json:"order,omitempty"`
	RefName         string                   `json:"refName,omitempty"`
	Log             *LogRef                  `json:"log,omitempty"`
	ErrorCount      int                      `json:"errorCount"`
	WarningCount    int                      `json:"warningCount"`
	Issues          []Issue                  `json:"issues,omitempty"`
	Variables       map[string]VariableValue `json:"variables,omitempty"`
	PercentComplete int                      `json:"percentComplete,omitempty"`
}

// Record types and states.
const (
	RecordStage = "Stage"
	RecordJob   = "Job"
	RecordTask  = "Task"

	StatePending    = "pending"
	StateInProgress = "inProgress"
	StateCompleted  = "completed"
)

// LogRef names a log.
type LogRef struct {
	ID   int    `json:"id"`
	Type string `json:"type,omitempty"`
	URL  string `json:"url,omitempty"`
}

// Log is a log's description.
type Log struct {
	ID        int       `json:"id"`
	Path      string    `json:"path,omitempty"`
	LineCount int       `json:"lineCount"`
	CreatedOn time.Time `json:"createdOn"`
	URL       string    `json:"url,omitempty"`
}

// Issue is an error or a warning of a record.
type Issue struct {
	Type    string            `json:"type"` // error, warning
	Message string            `json:"message"`
	Data    map[string]string `json:"data,omitempty"`
}

// FeedLines are console lines as they are written.
type FeedLines struct {
	Count     int      `json:"count"`
	Value     []string `json:"value"`
	StepID    string   `json:"stepId"`
	StartLine int64    `json:"startLine,omitempty"`
}
