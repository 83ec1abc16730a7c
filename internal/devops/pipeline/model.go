package pipeline

// Pipeline is a pipeline after its template expressions were evaluated.
type Pipeline struct {
	Name       string      `json:"name,omitempty"` // the format of run names
	Trigger    Trigger     `json:"trigger"`
	Upstream   []Upstream  `json:"upstream,omitempty"`
	Parameters []Parameter `json:"parameters,omitempty"`
	Variables  []Variable  `json:"variables,omitempty"`
	Stages     []Stage     `json:"stages"`
}

// Trigger says which pushes start a run.
type Trigger struct {
	None    bool   `json:"none,omitempty"`
	Include Filter `json:"branches"`
	Paths   Filter `json:"paths"`
}

// Filter is a list of patterns to include and to exclude; * matches anything
// within a name, and a pattern that ends with / or /* everything below.
type Filter struct {
	Include []string `json:"include,omitempty"`
	Exclude []string `json:"exclude,omitempty"`
}

// Upstream is another pipeline of which a run is a resource.
type Upstream struct {
	Alias    string   `json:"alias"`
	Source   string   `json:"source"`
	Trigger  bool     `json:"trigger"`
	Branches Filter   `json:"branches"`
	Stages   []string `json:"stages,omitempty"` // that must have succeeded, where not all
}

// Parameter is a runtime parameter.
type Parameter struct {
	Name    string `json:"name"`
	Type    string `json:"type"` // string, boolean, number, object
	Default any    `json:"default,omitempty"`
	Values  []any  `json:"values,omitempty"`
}

// Variable is a variable; its value may hold $( ) and $[ ].
type Variable struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	ReadOnly bool   `json:"readOnly,omitempty"`
}

// Stage is a stage. A pipeline without stages has one, named __default.
type Stage struct {
	Name        string     `json:"name"`
	DisplayName string     `json:"displayName,omitempty"`
	DependsOn   []string   `json:"dependsOn,omitempty"`
	Condition   string     `json:"condition,omitempty"` // empty: succeeded()
	Variables   []Variable `json:"variables,omitempty"`
	Jobs        []Job      `json:"jobs"`
}

// Job is a job, or one leg of a job with a matrix.
type Job struct {
	Name          string     `json:"name"`
	Leg           string     `json:"leg,omitempty"` // the leg's name, of a matrix
	MaxParallel   int        `json:"maxParallel,omitempty"`
	DisplayName   string     `json:"displayName,omitempty"`
	DependsOn     []string   `json:"dependsOn,omitempty"`
	Condition     string     `json:"condition,omitempty"`
	Variables     []Variable `json:"variables,omitempty"`
	Pool          Pool       `json:"pool"`
	Minutes       int        `json:"timeoutInMinutes,omitempty"`       // 0: no limit
	CancelMinutes int        `json:"cancelTimeoutInMinutes,omitempty"` // for steps that run after a cancel
	ContinueOn    bool       `json:"continueOnError,omitempty"`
	Clean         string     `json:"clean,omitempty"`
	Deployment    bool       `json:"deployment,omitempty"`
	Environment   string     `json:"environment,omitempty"`
	Steps         []Step     `json:"steps"`
}

// ID tells a job from its siblings: its name, and its leg's.
func (j Job) ID() string {
	if j.Leg == "" {
		return j.Name
	}
	return j.Name + " " + j.Leg
}

// Pool is where a job runs.
type Pool struct {
	Name    string   `json:"name"`
	Demands []string `json:"demands,omitempty"`
}

// Step is a step of a job.
type Step struct {
	Kind             string            `json:"kind"` // script, bash, checkout, publish, download
	Name             string            `json:"name,omitempty"`
	DisplayName      string            `json:"displayName,omitempty"`
	Condition        string            `json:"condition,omitempty"`
	ContinueOnError  bool              `json:"continueOnError,omitempty"`
	Enabled          bool              `json:"enabled"`
	Minutes          int               `json:"timeoutInMinutes,omitempty"`
	WorkingDirectory string            `json:"workingDirectory,omitempty"`
	FailOnStderr     bool              `json:"failOnStderr,omitempty"`
	Env              map[string]string `json:"env,omitempty"`
	Script           string            `json:"script,omitempty"`   // of script and bash
	Target           string            `json:"target,omitempty"`   // repository, folder to publish, or run to download from
	Artifact         string            `json:"artifact,omitempty"` // of publish and download
	Path             string            `json:"path,omitempty"`     // where to download to
	Clean            bool              `json:"clean,omitempty"`    // of checkout
	Depth            int               `json:"depth,omitempty"`    // of checkout: fetchDepth
}

// Kinds of steps.
const (
	KindScript   = "script"
	KindBash     = "bash"
	KindCheckout = "checkout"
	KindPublish  = "publish"
	KindDownload = "download"
)

// DefaultStage is the name of the stage of a pipeline that names none, and
// DefaultJob that of its job.
const (
	DefaultStage = "__default"
	DefaultJob   = "Job"
)
