package devops_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/agent"
	"github.com/cloister-ml/cloister/internal/devops"
	"github.com/cloister-ml/cloister/internal/devops/client"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// Who may ask what.
func TestAccess(t *testing.T) {
	o := startOrganisation(t)
	o.pipeline("p", "steps:\n- bash: echo\n", nil)
	h := o.registerByHand("by-hand")
	const none = ""
	admin, pools, bearer := basic(o.admin), basic(o.token), h.auth
	for _, c := range []struct {
		what   string
		auth   string
		method string
		path   string
		status int
	}{
		{"nobody", none, "GET", "/_apis/connectionData", 401},
		{"a wrong token", basic("x" + o.admin), "GET", "/_apis/connectionData", 401},
		{"an empty token", basic(""), "GET", "/_apis/connectionData", 401},
		{"a forged bearer", bearer + "x", "GET", "/_apis/connectionData", 401},
		{"a bearer of another agent", strings.Replace(bearer, "agent.", "agent.0", 1), "GET", "/_apis/connectionData", 401},
		{"an unsigned bearer", "Bearer agent.1.9999999999", "GET", "/_apis/connectionData", 401},
		{"a job that does not exist", "Bearer job.1", "GET", "/_apis/connectionData", 401},
		{"admin", admin, "GET", "/_apis/connectionData", 200},
		{"agent pools", pools, "GET", "/_apis/connectionData", 200},
		{"agent", bearer, "GET", "/_apis/connectionData", 200},
		{"pools by agent pools", pools, "GET", "/_apis/distributedtask/pools", 200},
		{"agents by agent pools", pools, "GET", "/_apis/distributedtask/pools/1/agents", 200},
		{"agents of no pool", pools, "GET", "/_apis/distributedtask/pools/9/agents", 404},
		{"pools by an agent", bearer, "GET", "/_apis/distributedtask/pools", 403},
		{"pipelines by agent pools", pools, "GET", "/mlops/_apis/pipelines", 403},
		{"pipelines by an agent", bearer, "GET", "/mlops/_apis/pipelines", 403},
		{"pipelines by admin", admin, "GET", "/mlops/_apis/pipelines", 200},
		{"a run by agent pools", pools, "POST", "/mlops/_apis/pipelines/1/runs", 403},
		{"messages by admin", admin, "GET", "/_apis/distributedtask/pools/1/messages", 403},
		{"messages of another session", bearer, "GET", "/_apis/distributedtask/pools/1/messages?sessionId=x", 404},
		{"a job's report by an agent", bearer, "POST", "/x/_apis/distributedtask/hubs/build/plans/y/events", 403},
		{"a project that does not exist", admin, "GET", "/nothing/_apis/pipelines", 404},
		{"a run that does not exist", admin, "GET", "/mlops/_apis/build/builds/7", 404},
		{"a run that is no number", admin, "GET", "/mlops/_apis/build/builds/x", 400},
		{"a path that does not exist", admin, "GET", "/mlops/_apis/nothing", 404},
		{"git by nobody", none, "GET", "/mlops/_git/p/info/refs?service=git-upload-pack", 401},
		{"git by agent pools", pools, "GET", "/mlops/_git/p/info/refs?service=git-upload-pack", 403},
		{"git by an agent", bearer, "GET", "/mlops/_git/p/info/refs?service=git-upload-pack", 403},
		{"git by admin", admin, "GET", "/mlops/_git/p/info/refs?service=git-upload-pack", 200},
		{"git without its smart protocol", admin, "GET", "/mlops/_git/p/info/refs", 403},
		{"a git file", admin, "GET", "/mlops/_git/p/HEAD", 404},
		{"a git file outside", admin, "GET", "/mlops/_git/p/..%2f..%2fdevops.db", 404},
		{"a git repository outside", admin, "GET", "/mlops/_git/..%2fp/info/refs?service=git-upload-pack", 404},
	} {
		t.Run(c.what, func(t *testing.T) {
			status, answer := call(t, c.auth, c.method, o.url+c.path, "application/json", "{}")
			if status != c.status {
				t.Errorf("%s %s: %d, want %d: %s", c.method, c.path, status, c.status, answer)
			}
			if status >= 400 && !strings.Contains(answer, `"message"`) {
				t.Errorf("the error is not in Azure DevOps' shape: %s", answer)
			}
		})
	}
	if status, _ := call(t, admin, "GET", strings.Replace(o.url, "contoso", "fabrikam", 1)+"/_apis/projects", "", ""); status != 404 {
		t.Errorf("another organisation answers %d, want 404", status)
	}
}

func TestAssertions(t *testing.T) {
	o := startOrganisation(t)
	home := o.configure("agent-1")
	text, err := os.ReadFile(filepath.Join(home, ".credentials"))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(home, ".credentials")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf(".credentials has the mode %v, want 0600", info.Mode())
	}
	var c struct{ ClientID, AuthorizationURL, PrivateKey string }
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	other := o.configure("agent-2")
	text, err = os.ReadFile(filepath.Join(other, ".credentials"))
	if err != nil {
		t.Fatal(err)
	}
	var c2 struct{ ClientID, PrivateKey string }
	if err := json.Unmarshal(text, &c2); err != nil {
		t.Fatal(err)
	}
	soon := time.Now().Add(time.Minute)
	for what, form := range map[string]string{
		"another agent's key": assertionForm(t, c2.PrivateKey, c.ClientID, c.AuthorizationURL, soon),
		"another audience":    assertionForm(t, c.PrivateKey, c.ClientID, "https://example.com", soon),
		"expired":             assertionForm(t, c.PrivateKey, c.ClientID, c.AuthorizationURL, time.Now().Add(-time.Hour)),
		"expires too late":    assertionForm(t, c.PrivateKey, c.ClientID, c.AuthorizationURL, time.Now().Add(48*time.Hour)),
		"no agent":            assertionForm(t, c.PrivateKey, "nobody", c.AuthorizationURL, soon),
		"no assertion":        "grant_type=client_credentials",
	} {
		if status, answer := call(t, "", "POST", c.AuthorizationURL, "application/x-www-form-urlencoded", form); status != 400 {
			t.Errorf("%s: %d %s, want 400", what, status, answer)
		}
	}
	if status, _ := call(t, "", "POST", c.AuthorizationURL, "application/x-www-form-urlencoded",
		assertionForm(t, c.PrivateKey, c.ClientID, c.AuthorizationURL, soon)); status != 200 {
		t.Errorf("the agent's own assertion: %d, want 200", status)
	}
	if err := agent.Remove(context.Background(), home, o.token); err != nil {
		t.Fatal(err)
	}
	if status, _ := call(t, "", "POST", c.AuthorizationURL, "application/x-www-form-urlencoded",
		assertionForm(t, c.PrivateKey, c.ClientID, c.AuthorizationURL, soon)); status != 400 {
		t.Errorf("an agent that was removed: %d, want 400", status)
	}
}

func TestConfigure(t *testing.T) {
	o := startOrganisation(t)
	home := o.configure("agent-1")
	ctx := context.Background()
	good := agent.Configuration{Home: t.TempDir(), URL: o.url, Token: o.token, Pool: "Default", Name: "agent-1"}
	for _, c := range []struct {
		what   string
		change func(c *agent.Configuration)
		want   string
	}{
		{"no organisation", func(c *agent.Configuration) { c.URL = "https://dev.azure.com" }, "--url must be"},
		{"plain http", func(c *agent.Configuration) { c.URL = "http://dev.azure.com/contoso" }, "must be https"},
		{"a wrong token", func(c *agent.Configuration) { c.Token = "wrong-wrong-wrong-wrong" }, "does not accept the token"},
		{"no token", func(c *agent.Configuration) { c.Token = "" }, "a token is needed"},
		{"no such pool", func(c *agent.Configuration) { c.Pool = "gpu" }, "has no agent pool gpu"},
		{"a name that is taken", func(*agent.Configuration) {}, "--replace"},
		{"a home that is taken", func(c *agent.Configuration) { c.Home = home }, "configured in"},
	} {
		t.Run(c.what, func(t *testing.T) {
			configuration := good
			c.change(&configuration)
			if _, err := agent.Configure(ctx, configuration); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error that says %q", err, c.want)
			}
		})
	}
	good.Replace = true
	if _, err := agent.Configure(ctx, good); err != nil {
		t.Errorf("replacing: %v", err)
	}
	agents, err := o.Agents(ctx, 1, "")
	if err != nil || len(agents) != 1 {
		t.Errorf("the pool has %d agents after a replacement, want 1 (%v)", len(agents), err)
	}
}

// A real git client clones with a token and pushes; the push starts a run, and the
// run that succeeds starts another one.
func TestGitAndTriggers(t *testing.T) {
	o := startOrganisation(t)
	o.runAgent("agent-1")
	ctx := context.Background()
	dir := files(t, map[string]string{
		"train.yml":  "name: train-$(Rev:r)\ntrigger: {branches: {include: [main]}, paths: {exclude: [docs]}}\nsteps:\n- bash: cat model.txt\n",
		"deploy.yml": "trigger: none\nresources:\n  pipelines:\n  - pipeline: up\n    source: train\n    trigger: true\nsteps:\n- bash: echo \"deploys $(resources.pipeline.up.runName) for $BUILD_REASON\"\n",
		"model.txt":  "first\n", "docs/a.md": "a\n", "terraform.tfstate": "secret\n", ".terraform/x": "x\n",
	})
	if _, err := o.Import(ctx, "mlops", "code", dir); err != nil {
		t.Fatal(err)
	}
	again, err := o.Import(ctx, "mlops", "code", dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"train", "deploy"} {
		if _, err := o.CreatePipeline(ctx, "mlops", devops.PipelineSpec{Name: name, Repository: "code", Path: name + ".yml"}); err != nil {
			t.Fatal(err)
		}
	}
	clone := filepath.Join(t.TempDir(), "clone")
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "http.extraheader=Authorization: " + basic(o.admin), "-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_SSL_CAINFO="+os.Getenv("SSL_CERT_FILE"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("clone", "--quiet", o.url+"/mlops/_git/code", clone)
	if head := git("-C", clone, "rev-parse", "HEAD"); head != again {
		t.Errorf("the clone is at %s, want %s: a second import must change nothing", head, again)
	}
	if listed := git("-C", clone, "ls-files"); strings.Contains(listed, "tfstate") || strings.Contains(listed, ".terraform") {
		t.Errorf("the import holds what it must leave out:\n%s", listed)
	}
	push := func(file, text string) {
		if err := os.WriteFile(filepath.Join(clone, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		git("-C", clone, "commit", "--quiet", "-am", "change "+file)
		git("-C", clone, "push", "--quiet", "origin", "HEAD:main")
	}
	push("docs/a.md", "b\n")
	if runs, _ := o.Runs(ctx, "mlops", 0, 10); len(runs) != 0 {
		t.Errorf("a push of an excluded path started %d runs", len(runs))
	}
	push("model.txt", strings.Repeat("second\n", 400_000)) // too large for one buffer: git sends it in chunks
	o.until(func() bool { runs, _ := o.Runs(ctx, "mlops", 0, 10); return len(runs) == 2 }, "both runs were queued")
	runs, err := o.Runs(ctx, "mlops", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	deploy, train := o.wait(runs[0].ID), o.wait(runs[1].ID)
	if train.Result != wire.ResultSucceeded || train.Reason != devops.ReasonPush {
		t.Errorf("train: %s because of %s", train.Result, train.Reason)
	}
	if logs := o.logs(deploy.ID); deploy.Reason != devops.ReasonResource || !strings.Contains(logs, "deploys train-1 for ResourceTrigger") {
		t.Errorf("deploy, because of %s:\n%s", deploy.Reason, logs)
	}
	if deploy.Resources.Repositories["self"].Version != train.Resources.Repositories["self"].Version {
		t.Error("both pipelines are of one repository and must run at the same commit")
	}
}

// A job's token reads the repository of its project, reports its own job, and ends
// with it.
func TestJobToken(t *testing.T) {
	o := startOrganisation(t)
	o.runAgent("agent-1")
	dir := t.TempDir()
	o.pipeline("token", fmt.Sprintf(`
steps:
- checkout: none
- bash: echo "$TOKEN" > %s/token; while [ -e %s/token ]; do sleep 0.05; done
  env: {TOKEN: $(System.AccessToken)}
`, dir, dir), nil)
	run, err := o.QueueRun(context.Background(), "mlops", "token", devops.RunSpec{})
	if err != nil {
		t.Fatal(err)
	}
	var token string
	o.until(func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "token"))
		token = strings.TrimSpace(string(text))
		return err == nil && token != ""
	}, "the job wrote its token")
	auth := "Bearer " + token
	ask := func(method, path string) int {
		status, _ := call(t, auth, method, o.url+path, "application/json", "{}")
		return status
	}
	if got := ask("GET", "/mlops/_git/token/info/refs?service=git-upload-pack"); got != 200 {
		t.Errorf("reading the repository: %d, want 200", got)
	}
	if got := ask("GET", "/mlops/_git/token/info/refs?service=git-receive-pack"); got != 403 {
		t.Errorf("pushing to the repository: %d, want 403", got)
	}
	if got := ask("GET", "/mlops/_apis/pipelines"); got != 403 {
		t.Errorf("listing pipelines: %d, want 403", got)
	}
	if got := ask("POST", "/mlops/_apis/distributedtask/hubs/build/plans/other/events"); got != 403 {
		t.Errorf("reporting another plan's job: %d, want 403", got)
	}
	o.checkFeed(auth, run)
	if _, err := o.CreateProject(context.Background(), "other"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.CreateRepository(context.Background(), "other", "private"); err != nil {
		t.Fatal(err)
	}
	if got := ask("GET", "/other/_git/private/info/refs?service=git-upload-pack"); got != 403 {
		t.Errorf("reading another project's repository: %d, want 403", got)
	}
	os.Remove(filepath.Join(dir, "token"))
	o.wait(run.ID)
	if got := ask("GET", "/mlops/_git/token/info/refs?service=git-upload-pack"); got != 401 {
		t.Errorf("after the job: %d, want 401", got)
	}
}

// checkFeed writes to the console of a running job by its token: of its own steps,
// and no more than is kept.
func (o *organisation) checkFeed(auth string, run wire.Run) {
	o.t.Helper()
	records, err := o.Timeline(context.Background(), run.ID)
	if err != nil {
		o.t.Fatal(err)
	}
	var build wire.Build
	_, shown := call(o.t, basic(o.admin), "GET", fmt.Sprintf("%s/mlops/_apis/build/builds/%d", o.url, run.ID), "", "")
	if err := json.Unmarshal([]byte(shown), &build); err != nil {
		o.t.Fatal(err)
	}
	for _, rec := range records {
		want := map[string]int{wire.RecordStage: 403, wire.RecordJob: 204, wire.RecordTask: 204}[rec.Type]
		feed := fmt.Sprintf("%s/%s/_apis/distributedtask/hubs/build/plans/%s/timelines/%s/records/%s/feed",
			o.url, build.Project.ID, build.Plan.PlanID, build.Plan.PlanID, rec.ID)
		body := `{"value": ["` + strings.Repeat("x", 1<<20) + `", "last"]}`
		if status, answer := call(o.t, auth, "POST", feed, "application/json", body); status != want {
			o.t.Errorf("the console of %s: %d, want %d: %s", rec.Identifier, status, want, answer)
		}
		if rec.Type == wire.RecordStage {
			continue
		}
		_, answer := call(o.t, basic(o.admin), "GET", feed, "", "")
		if len(answer) > 1<<20 || !strings.Contains(answer, `"last"`) {
			o.t.Errorf("the console of %s keeps %d bytes", rec.Identifier, len(answer))
		}
	}
}

func TestRefusedRuns(t *testing.T) {
	o := startOrganisation(t)
	ctx := context.Background()
	o.pipeline("p", "parameters:\n- name: n\n  type: number\nvariables: {fixed: 1}\nsteps:\n- bash: echo ${{ parameters.n }}\n", nil)
	for what, c := range map[string]struct {
		spec devops.RunSpec
		want string
	}{
		"a parameter without a value":  {devops.RunSpec{}, "has no default"},
		"a parameter of another type":  {devops.RunSpec{Parameters: map[string]any{"n": "many"}}, "must be a number"},
		"a parameter that is not one":  {devops.RunSpec{Parameters: map[string]any{"n": 1, "m": 2}}, "no parameter m"},
		"a branch that does not exist": {devops.RunSpec{Branch: "gone"}, "has no gone"},
		"a variable of the file":       {devops.RunSpec{Parameters: map[string]any{"n": 1}, Variables: map[string]wire.VariableValue{"FIXED": {Value: "2"}}}, "make it a parameter"},
		"a stage that does not exist":  {devops.RunSpec{Parameters: map[string]any{"n": 1}, StagesToSkip: []string{"x"}}, "no stage x"},
	} {
		if _, err := o.QueueRun(ctx, "mlops", "p", c.spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error that says %q", what, err, c.want)
		}
	}
	if _, err := o.QueueRun(ctx, "mlops", "nothing", devops.RunSpec{}); err == nil {
		t.Error("a pipeline that does not exist was run")
	}
	dir := files(t, map[string]string{"x.yml": "steps:\n- scrpt: echo\n"})
	if _, err := o.Import(ctx, "mlops", "bad", dir); err != nil {
		t.Fatal(err)
	}
	_, err := o.CreatePipeline(ctx, "mlops", devops.PipelineSpec{Name: "bad", Repository: "bad", Path: "x.yml"})
	if err == nil || !strings.Contains(err.Error(), "x.yml:2:3: unknown key scrpt of a step; did you mean script?") {
		t.Errorf("a broken pipeline: %v", err)
	}
	if _, err := o.Import(ctx, "mlops", "none", t.TempDir()); err == nil {
		t.Error("an empty folder was imported")
	}
}

func TestPackage(t *testing.T) {
	o := startOrganisation(t)
	web := httptest.NewServer(o.PackageHandler())
	defer web.Close()
	dir := t.TempDir()
	archive := filepath.Join(dir, "agent.tar.gz")
	resp, err := http.Get(web.URL + devops.PackagePath)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if out, err := exec.Command("tar", "-xzf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	own, err := os.Stat("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.Stat(filepath.Join(dir, "cloister"))
	if err != nil || got.Size() != own.Size() || got.Mode().Perm() != 0o755 {
		t.Errorf("the package holds %v, want this executable of %d bytes", got, own.Size())
	}
	if resp.Header.Get("X-Agent-Version") == "" {
		t.Error("the package does not say its version")
	}
}

// The CLI's client follows a run from afar.
func TestClient(t *testing.T) {
	o := startOrganisation(t)
	o.runAgent("agent-1")
	o.pipeline("p", "steps:\n- checkout: none\n- bash: echo hello\n  displayName: Say hello\n", nil)
	c := &client.Client{URL: o.url, Project: "mlops", Token: o.admin}
	ctx := context.Background()
	run, err := c.Queue(ctx, "P", wire.RunParameters{})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	b, err := c.Follow(ctx, run.ID, client.NewPrinter(&out, false))
	if err != nil || b.Result != wire.ResultSucceeded {
		t.Fatalf("%v %v", b, err)
	}
	for _, want := range []string{"Job: Say hello\nJob:   | ", "Job:   | hello\n", "Job: Say hello: succeeded", "Job: job succeeded"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, out.String())
		}
	}
	if _, err := c.Queue(ctx, "q", wire.RunParameters{}); err == nil || !strings.Contains(err.Error(), "it has: p") {
		t.Errorf("a pipeline that does not exist: %v", err)
	}
	if _, err := (&client.Client{URL: o.url, Project: "mlops", Token: "x"}).Pipelines(ctx); err == nil || !strings.Contains(err.Error(), "does not accept the token") {
		t.Errorf("a wrong token: %v", err)
	}
}
