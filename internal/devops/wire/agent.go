package wire

import "time"

// List wraps every list that the API answers with.
type List[T any] struct {
	Count int `json:"count"`
	Value []T `json:"value"`
}

// Items makes a List; it is never null.
func Items[T any](items []T) List[T] {
	if items == nil {
		items = []T{}
	}
	return List[T]{Count: len(items), Value: items}
}

// Problem is how Azure DevOps answers with an error.
type Problem struct {
	ID        string `json:"$id"`
	Message   string `json:"message"`
	TypeKey   string `json:"typeKey"`
	ErrorCode int    `json:"errorCode"`
	EventID   int    `json:"eventId"`
}

// ConnectionData says who is asking, of which organisation.
type ConnectionData struct {
	AuthenticatedUser   Identity            `json:"authenticatedUser"`
	AuthorizedUser      Identity            `json:"authorizedUser"`
	InstanceID          string              `json:"instanceId"`
	DeploymentID        string              `json:"deploymentId"`
	DeploymentType      string              `json:"deploymentType"`
	LocationServiceData LocationServiceData `json:"locationServiceData"`
}

// Identity is a user or an agent.
type Identity struct {
	ID                  string `json:"id"`
	ProviderDisplayName string `json:"providerDisplayName"`
	IsActive            bool   `json:"isActive"`
}

// LocationServiceData tells a client where each resource is.
type LocationServiceData struct {
	ServiceOwner       string              `json:"serviceOwner"`
	ServiceDefinitions []ServiceDefinition `json:"serviceDefinitions"`
}

// ServiceDefinition is one resource: an id that never changes and a route.
type ServiceDefinition struct {
	ServiceType       string `json:"serviceType"`
	Identifier        string `json:"identifier"`
	DisplayName       string `json:"displayName"`
	RelativePath      string `json:"relativePath"`
	RelativeToSetting string `json:"relativeToSetting"`
	ResourceVersion   int    `json:"resourceVersion"`
	MinVersion        string `json:"minVersion"`
	MaxVersion        string `json:"maxVersion"`
}

// Pool is an agent pool.
type Pool struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Size     int    `json:"size"`
	IsHosted bool   `json:"isHosted"`
	PoolType string `json:"poolType"`
}

// Agent is a registered agent.
type Agent struct {
	ID                 int               `json:"id,omitempty"`
	Name               string            `json:"name"`
	Version            string            `json:"version,omitempty"`
	OSDescription      string            `json:"osDescription,omitempty"`
	Enabled            bool              `json:"enabled"`
	Status             string            `json:"status,omitempty"` // online, offline
	MaxParallelism     int               `json:"maxParallelism,omitempty"`
	CreatedOn          *time.Time        `json:"createdOn,omitempty"`
	SystemCapabilities map[string]string `json:"systemCapabilities,omitempty"`
	Authorization      *Authorization    `json:"authorization,omitempty"`
	AssignedRequest    *JobRequest       `json:"assignedRequest,omitempty"`
}

// Authorization is how an agent gets its tokens.
type Authorization struct {
	ClientID         string     `json:"clientId,omitempty"`
	AuthorizationURL string     `json:"authorizationUrl,omitempty"`
	PublicKey        *PublicKey `json:"publicKey,omitempty"`
}

// PublicKey is an RSA public key, big-endian.
type PublicKey struct {
	Exponent []byte `json:"exponent"`
	Modulus  []byte `json:"modulus"`
}

// Token is the answer of the authorization URL.
type Token struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
}

// Session is an agent's presence.
type Session struct {
	SessionID         string      `json:"sessionId,omitempty"`
	OwnerName         string      `json:"ownerName"`
	Agent             Agent       `json:"agent"`
	UseFIPSEncryption bool        `json:"useFipsEncryption"` // RSA-OAEP with SHA-256 instead of SHA-1
	EncryptionKey     *SessionKey `json:"encryptionKey,omitempty"`
}

// SessionKey is the AES key of a session's messages.
type SessionKey struct {
	Encrypted bool   `json:"encrypted"`
	Value     []byte `json:"value"`
}

// Message is what an agent polls for. Body is base64 of AES-CBC when IV is there.
type Message struct {
	MessageID   int64  `json:"messageId"`
	MessageType string `json:"messageType"`
	IV          []byte `json:"iv,omitempty"`
	Body        string `json:"body"`
}

// Message types.
const (
	MessageJob    = "PipelineAgentJobRequest"
	MessageCancel = "JobCancellation"
)

// JobCancel is the body of a MessageCancel; Timeout is hh:mm:ss.
type JobCancel struct {
	JobID   string `json:"jobId"`
	Timeout string `json:"timeout"`
}

// JobRequest is a job's claim on an agent.
type JobRequest struct {
	RequestID     int64      `json:"requestId"`
	QueueTime     *time.Time `json:"queueTime,omitempty"`
	AssignTime    *time.Time `json:"assignTime,omitempty"`
	FinishTime    *time.Time `json:"finishTime,omitempty"`
	LockedUntil   *time.Time `json:"lockedUntil,omitempty"`
	Result        string     `json:"result,omitempty"`
	ScopeID       string     `json:"scopeId,omitempty"`
	PlanType      string     `json:"planType,omitempty"`
	PlanID        string     `json:"planId,omitempty"`
	JobID         string     `json:"jobId,omitempty"`
	JobName       string     `json:"jobName,omitempty"`
	ReservedAgent *Agent     `json:"reservedAgent,omitempty"`
}

// JobEvent tells the plan that a job is done.
type JobEvent struct {
	Name            string                   `json:"name"` // JobCompleted
	JobID           string                   `json:"jobId"`
	RequestID       int64                    `json:"requestId"`
	Result          string                   `json:"result"`
	OutputVariables map[string]VariableValue `json:"outputVariables,omitempty"`
}

// EventJobCompleted is the name of a JobEvent.
const EventJobCompleted = "JobCompleted"

// Results of jobs, stages, steps and, but for the last two, runs.
const (
	ResultSucceeded           = "succeeded"
	ResultSucceededWithIssues = "succeededWithIssues"
	ResultFailed              = "failed"
	ResultCanceled            = "canceled"
	ResultSkipped             = "skipped"
	ResultAbandoned           = "abandoned"
)
