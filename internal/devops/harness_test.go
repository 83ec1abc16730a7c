package devops_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/agent"
	"github.com/cloister-ml/cloister/internal/devops"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// organisation is a server on loopback TLS with a project, a pool and a token.
type organisation struct {
	*devops.Server
	t     *testing.T
	url   string
	token string // of the scope agentPools
	admin string
}

func startOrganisation(t *testing.T) *organisation {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	opts := testOptions(t.TempDir(), "https://"+web.Listener.Addr().String())
	opts.Log = testLog(t)
	s, err := devops.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	web.Config.Handler = s.Handler()
	web.StartTLS()
	t.Cleanup(func() {
		s.Close()
		web.CloseClientConnections()
		web.Close()
	})
	o := &organisation{Server: s, t: t, url: opts.URL + "/contoso"}
	o.prepare()
	return o
}

func (o *organisation) prepare() {
	o.t.Helper()
	ctx := context.Background()
	if _, err := o.CreatePool(ctx, "Default"); err != nil {
		o.t.Fatal(err)
	}
	if _, err := o.CreateProject(ctx, "mlops"); err != nil {
		o.t.Fatal(err)
	}
	var err error
	if o.token, err = o.CreateToken(ctx, "agents", devops.ScopeAgentPools); err != nil {
		o.t.Fatal(err)
	}
	if o.admin, err = o.CreateToken(ctx, "admin", devops.ScopeAdmin); err != nil {
		o.t.Fatal(err)
	}
}

// testLog writes to the test's log until the test ends.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// configure registers an agent and gives its home.
func (o *organisation) configure(name string) string {
	o.t.Helper()
	home := o.t.TempDir()
	if _, err := agent.Configure(context.Background(), agent.Configuration{Home: home, URL: o.url, Token: o.token, Pool: "Default", Name: name}); err != nil {
		o.t.Fatal(err)
	}
	return home
}

// runAgent runs an agent in this process until the test ends.
func (o *organisation) runAgent(name string) {
	o.t.Helper()
	home := o.configure(name)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- agent.Run(ctx, agent.Options{Home: home, Log: testLog(o.t)}) }()
	o.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			o.t.Errorf("agent %s: %v", name, err)
		}
	})
}

// files makes a folder of files.
func files(t *testing.T, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range content {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// pipeline imports a repository of one pipeline and makes the pipeline.
func (o *organisation) pipeline(name, yaml string, variables map[string]wire.VariableValue) {
	o.t.Helper()
	ctx := context.Background()
	dir := files(o.t, map[string]string{"azure-pipelines.yml": yaml, "hello.txt": "hello from the repository\n"})
	if _, err := o.Import(ctx, "mlops", name, dir); err != nil {
		o.t.Fatal(err)
	}
	if _, err := o.CreatePipeline(ctx, "mlops", devops.PipelineSpec{
		Name: name, Repository: name, Path: "/azure-pipelines.yml", Variables: variables}); err != nil {
		o.t.Fatal(err)
	}
}

// queue starts a run and waits for its end.
func (o *organisation) queue(name string, spec devops.RunSpec) wire.Run {
	o.t.Helper()
	r, err := o.QueueRun(context.Background(), "mlops", name, spec)
	if err != nil {
		o.t.Fatal(err)
	}
	return o.wait(r.ID)
}

func (o *organisation) wait(id int) wire.Run {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := o.Wait(ctx, id)
	if err != nil {
		o.t.Fatalf("run %d did not end: %v\n%s", id, err, o.describe(id))
	}
	return r
}

// describe is a run's timeline and logs, for reading.
func (o *organisation) describe(id int) string {
	var b strings.Builder
	records, err := o.Timeline(context.Background(), id)
	if err != nil {
		return err.Error()
	}
	for _, r := range records {
		b.WriteString(r.Type + " " + r.Identifier + ": " + r.State + " " + r.Result + "\n")
		for _, i := range r.Issues {
			b.WriteString("  " + i.Type + ": " + i.Message + "\n")
		}
	}
	b.WriteString(o.logs(id))
	return b.String()
}

// logs are all lines of all of a run's logs, without their times.
func (o *organisation) logs(id int) string {
	o.t.Helper()
	records, err := o.Timeline(context.Background(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	var b bytes.Buffer
	for _, r := range records {
		if r.Log == nil {
			continue
		}
		lines, err := o.Log(context.Background(), id, r.Log.ID, 0)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, line := range lines {
			_, text, _ := strings.Cut(line, " ")
			b.WriteString(text + "\n")
		}
	}
	return b.String()
}

// results are the results of a run's records, by identifier.
func (o *organisation) results(id int) map[string]string {
	o.t.Helper()
	records, err := o.Timeline(context.Background(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range records {
		out[r.Identifier] = r.Result
	}
	return out
}
