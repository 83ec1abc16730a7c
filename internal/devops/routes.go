package devops

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

const (
	poolsPath = "/{org}/_apis/distributedtask/pools"
	planPath  = "/{org}/{project}/_apis/distributedtask/hubs/{hub}/plans/{plan}"
	buildPath = "/{org}/{project}/_apis/build/builds"

	containerPath = "/{org}/_apis/resources/Containers/{container}"
)

// routes are all that the organisation answers, and to whom.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for _, route := range []struct {
		pattern string
		allowed role
		do      endpoint
	}{
		{"POST /{org}/_oauth/token", anyone, s.postToken},
		{"GET /{org}/_apis/connectionData", roleAdmin | roleAgentPool | roleAgent | roleJob, s.getConnectionData},

		{"GET " + poolsPath, roleAdmin | roleAgentPool, s.getPools},
		{"POST " + poolsPath, roleAdmin, s.postPool},
		{"GET " + poolsPath + "/{pool}/agents", roleAdmin | roleAgentPool, s.getAgents},
		{"POST " + poolsPath + "/{pool}/agents", roleAdmin | roleAgentPool, s.postAgent},
		{"GET " + poolsPath + "/{pool}/agents/{agent}", roleAdmin | roleAgentPool, s.getAgent},
		{"PUT " + poolsPath + "/{pool}/agents/{agent}", roleAdmin | roleAgentPool, s.putAgent},
		{"DELETE " + poolsPath + "/{pool}/agents/{agent}", roleAdmin | roleAgentPool, s.deleteAgent},

		{"POST " + poolsPath + "/{pool}/sessions", roleAgent, s.postSession},
		{"DELETE " + poolsPath + "/{pool}/sessions/{session}", roleAgent, s.deleteSession},
		{"GET " + poolsPath + "/{pool}/messages", roleAgent, s.getMessage},
		{"DELETE " + poolsPath + "/{pool}/messages/{message}", roleAgent, s.deleteMessage},
		{"PATCH " + poolsPath + "/{pool}/jobrequests/{request}", roleAgent, s.patchRequest},

		{"PATCH " + planPath + "/timelines/{timeline}/records", roleJob, s.inPlan(s.patchRecords)},
		{"POST " + planPath + "/timelines/{timeline}/records/{record}/feed", roleJob, s.inPlan(s.postFeed)},
		{"GET " + planPath + "/timelines/{timeline}/records/{record}/feed", roleAdmin, s.getFeed},
		{"POST " + planPath + "/logs", roleJob, s.inPlan(s.postLog)},
		{"POST " + planPath + "/logs/{log}", roleJob, s.inPlan(s.appendLog)},
		{"POST " + planPath + "/events", roleJob, s.inPlan(s.postEvent)},

		{"GET /{org}/_apis/projects", roleAdmin, s.getProjects},
		{"POST /{org}/_apis/projects", roleAdmin, s.postProject},
		{"GET /{org}/{project}/_apis/git/repositories", roleAdmin, s.getRepositories},
		{"POST /{org}/{project}/_apis/git/repositories", roleAdmin, s.postRepository},

		{"GET /{org}/{project}/_apis/pipelines", roleAdmin, s.getPipelines},
		{"POST /{org}/{project}/_apis/pipelines", roleAdmin, s.postPipeline},
		{"GET /{org}/{project}/_apis/pipelines/{pipeline}", roleAdmin, s.getPipeline},
		{"GET /{org}/{project}/_apis/pipelines/{pipeline}/runs", roleAdmin, s.getRuns},
		{"POST /{org}/{project}/_apis/pipelines/{pipeline}/runs", roleAdmin, s.postRun},
		{"GET /{org}/{project}/_apis/pipelines/{pipeline}/runs/{run}", roleAdmin, s.getRun},

		{"GET " + buildPath, roleAdmin, s.getBuilds},
		{"GET " + buildPath + "/{run}", roleAdmin, s.getBuild},
		{"PATCH " + buildPath + "/{run}", roleAdmin, s.patchBuild},
		{"GET " + buildPath + "/{run}/timeline", roleAdmin, s.getTimeline},
		{"GET " + buildPath + "/{run}/logs", roleAdmin, s.getLogs},
		{"GET " + buildPath + "/{run}/artifacts", roleAdmin | roleJob, s.getArtifacts},
		{"POST " + buildPath + "/{run}/artifacts", roleJob, s.postArtifact},
	} {
		mux.Handle(route.pattern, s.serve(route.allowed, route.do))
	}
	mux.HandleFunc("GET "+buildPath+"/{run}/logs/{log}", s.serveLog)
	mux.HandleFunc("GET "+containerPath, s.serveContainer)
	mux.HandleFunc("PUT "+containerPath, s.putContainer)
	mux.HandleFunc("/{org}/{project}/_git/{repo}/{service...}", s.serveGit)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.writeError(w, r, notFound("there is nothing at %s", r.URL.Path))
	})
	return mux
}

// inPlan keeps a job to its own run.
func (s *Server) inPlan(do endpoint) endpoint {
	return func(r *http.Request, p principal) (any, error) {
		if r.PathValue("plan") != p.plan || r.PathValue("project") != p.project {
			return nil, forbidden("the plan is of another job")
		}
		return do(r, p)
	}
}

// resources are what connectionData names: Azure DevOps' ids, which never change.
var resources = []struct{ name, id, path string }{
	{"pools", "a8c47e17-4d56-4a56-92bb-de7ea7dc65be", "/_apis/distributedtask/pools/{poolId}"},
	{"agents", "e298ef32-5878-4cab-993c-043836571f42", "/_apis/distributedtask/pools/{poolId}/agents/{agentId}"},
	{"sessions", "134e239e-2df3-4794-a6f6-24f1f19ec8dc", "/_apis/distributedtask/pools/{poolId}/sessions/{sessionId}"},
	{"messages", "c3a054f6-7a8a-49c0-944e-3a8e5d7adfd7", "/_apis/distributedtask/pools/{poolId}/messages/{messageId}"},
	{"jobrequests", "fc825784-c92a-4299-9221-998a02d1b54f", "/_apis/distributedtask/pools/{poolId}/jobrequests/{requestId}"},
	{"records", "8893bc5b-35b2-4be7-83cb-99e683551db4", "/{scopeIdentifier}/_apis/distributedtask/hubs/{hubName}/plans/{planId}/timelines/{timelineId}/records"},
	{"feed", "858983e4-19bd-4c5e-864c-507b59b58b12", "/{scopeIdentifier}/_apis/distributedtask/hubs/{hubName}/plans/{planId}/timelines/{timelineId}/records/{recordId}/feed"},
	{"logs", "46f5667d-263a-4684-91b1-dff7fdcf64e2", "/{scopeIdentifier}/_apis/distributedtask/hubs/{hubName}/plans/{planId}/logs/{logId}"},
	{"events", "557624af-b29e-4c20-8ab0-0399d2204f3f", "/{scopeIdentifier}/_apis/distributedtask/hubs/{hubName}/plans/{planId}/events"},
}

func (s *Server) getConnectionData(_ *http.Request, p principal) (any, error) {
	id := wire.Identity{ID: "00000000-0000-0000-0000-000000000000", ProviderDisplayName: p.name, IsActive: true}
	data := wire.ConnectionData{
		InstanceID:        uuid.NewSHA1(uuid.NameSpaceURL, []byte(s.url(""))).String(),
		AuthenticatedUser: id, AuthorizedUser: id, DeploymentType: "hosted",
		LocationServiceData: wire.LocationServiceData{ServiceOwner: "00025394-6065-48ca-87d9-7f5672854ef7"},
	}
	for _, r := range resources {
		data.LocationServiceData.ServiceDefinitions = append(data.LocationServiceData.ServiceDefinitions, wire.ServiceDefinition{
			ServiceType: "distributedtask", Identifier: r.id, DisplayName: r.name, RelativePath: r.path,
			RelativeToSetting: "context", ResourceVersion: 1, MinVersion: "1.0", MaxVersion: "7.2",
		})
	}
	return data, nil
}
