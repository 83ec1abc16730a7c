package wire

import "time"

// Pipeline is a pipeline as the Pipelines API shows it.
type Pipeline struct {
	ID            int            `json:"id"`
	Revision      int            `json:"revision"`
	Name          string         `json:"name"`
	Folder        string         `json:"folder"`
	URL           string         `json:"url,omitempty"`
	Configuration *Configuration `json:"configuration,omitempty"`
}

// Configuration says where a pipeline's YAML is.
type Configuration struct {
	Type       string                   `json:"type"` // yaml
	Path       string                   `json:"path"`
	Repository PipelineRepository       `json:"repository"`
	Variables  map[string]VariableValue `json:"variables,omitempty"`
}

// PipelineRepository is a pipeline's repository, by id or name.
type PipelineRepository struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
	Type string `json:"type"` // azureReposGit
}

// RunParameters is the body that queues a run.
type RunParameters struct {
	TemplateParameters map[string]any           `json:"templateParameters,omitempty"`
	Variables          map[string]VariableValue `json:"variables,omitempty"`
	Resources          *RunResources            `json:"resources,omitempty"`
	StagesToSkip       []string                 `json:"stagesToSkip,omitempty"`
	PreviewRun         bool                     `json:"previewRun,omitempty"`
}

// RunResources are the repositories and pipelines of a run.
type RunResources struct {
	Repositories map[string]RunRepository `json:"repositories,omitempty"`
	Pipelines    map[string]RunPipeline   `json:"pipelines,omitempty"`
}

// RunRepository is a repository at a commit.
type RunRepository struct {
	RefName string `json:"refName,omitempty"`
	Version string `json:"version,omitempty"`
}

// RunPipeline is the run of another pipeline, by run name.
type RunPipeline struct {
	Version string `json:"version,omitempty"`
}

// Run is a run as the Pipelines API shows it.
type Run struct {
	ID                 int                      `json:"id"`
	Name               string                   `json:"name"`
	State              string                   `json:"state"`            // inProgress, canceling, completed
	Result             string                   `json:"result,omitempty"` // succeeded, failed, canceled
	CreatedDate        time.Time                `json:"createdDate"`
	FinishedDate       *time.Time               `json:"finishedDate,omitempty"`
	URL                string                   `json:"url,omitempty"`
	Pipeline           Pipeline                 `json:"pipeline"`
	Resources          RunResources             `json:"resources"`
	Variables          map[string]VariableValue `json:"variables,omitempty"`
	TemplateParameters map[string]any           `json:"templateParameters,omitempty"`
	Reason             string                   `json:"reason,omitempty"` // manual, individualCI, resourceTrigger
	Issues             []Issue                  `json:"issues,omitempty"`
}

// Run states.
const (
	RunInProgress = "inProgress"
	RunCanceling  = "canceling"
	RunCompleted  = "completed"
)

// Build is a run as the Build API shows it.
type Build struct {
	ID            int              `json:"id"`
	BuildNumber   string           `json:"buildNumber"`
	Status        string           `json:"status"` // inProgress, cancelling, completed
	Result        string           `json:"result,omitempty"`
	QueueTime     time.Time        `json:"queueTime"`
	StartTime     *time.Time       `json:"startTime,omitempty"`
	FinishTime    *time.Time       `json:"finishTime,omitempty"`
	SourceBranch  string           `json:"sourceBranch"`
	SourceVersion string           `json:"sourceVersion"`
	Reason        string           `json:"reason"`
	Definition    BuildDefinition  `json:"definition"`
	Logs          *LogRef          `json:"logs,omitempty"`
	Plan          *BuildPlan       `json:"orchestrationPlan,omitempty"`
	Project       ProjectReference `json:"project"`
}

// BuildDefinition names a build's pipeline.
type BuildDefinition struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// BuildPlan names a build's plan.
type BuildPlan struct {
	PlanID string `json:"planId"`
}

// ProjectReference is a project.
type ProjectReference struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state,omitempty"`
}

// Timeline is a build's timeline.
type Timeline struct {
	ID       string   `json:"id"`
	ChangeID int64    `json:"changeId"`
	Records  []Record `json:"records"`
}

// GitRepository is a git repository.
type GitRepository struct {
	ID            string           `json:"id"`
	Name          string           `json:"name"`
	DefaultBranch string           `json:"defaultBranch,omitempty"`
	RemoteURL     string           `json:"remoteUrl"`
	Project       ProjectReference `json:"project"`
}

// Artifact is a published artifact of a run.
type Artifact struct {
	ID       int              `json:"id"`
	Name     string           `json:"name"`
	Source   string           `json:"source,omitempty"`
	Resource ArtifactResource `json:"resource"`
}

// ArtifactResource says where an artifact's bytes are.
type ArtifactResource struct {
	Type        string `json:"type"` // Container
	Data        string `json:"data"` // #/CONTAINER/NAME
	DownloadURL string `json:"downloadUrl,omitempty"`
}

// ContainerItem is a file of a container.
type ContainerItem struct {
	ContainerID int    `json:"containerId"`
	Path        string `json:"path"`     // NAME/path
	ItemType    string `json:"itemType"` // file
	FileLength  int64  `json:"fileLength"`
}
