package mission

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/daemon"
	"github.com/cloister-ml/cloister/internal/probe"
	"github.com/cloister-ml/cloister/internal/project"
	"github.com/cloister-ml/cloister/service"
)

// Claim is one thing that the summary says, and whether it is so.
type Claim struct {
	Name  string `json:"name"`
	Holds bool   `json:"holds"`
	Text  string `json:"text"` // what was seen, and where it does not hold why
}

// cloudUnder is a running cloud and the ways into it.
type cloudUnder struct {
	daemon  *daemon.Client
	arm     *client.Client
	project project.Project
}

// outsider is the machine that has nothing to do with the estate.
const outsider = "internet"

// verify checks every claim of the summary, each by doing it.
func (u cloudUnder) verify(ctx context.Context, each func(Claim)) error {
	e, err := u.daemon.Estate(ctx)
	if err != nil {
		return err
	}
	if s := u.project.Score; s != nil {
		each(u.claim("model", func() (string, error) { return u.modelClaim(ctx, e, s.Model) }))
		each(u.claim("score", func() (string, error) { return u.scoreClaim(ctx, e, s) }))
		each(u.claim("refused", func() (string, error) { return u.refusedClaim(ctx, e, s) }))
	}
	each(u.claim("packets", func() (string, error) { return u.packetsClaim(ctx) }))
	each(u.claim("proof", func() (string, error) { return proofClaim(e) }))
	return nil
}

func (u cloudUnder) claim(name string, look func() (string, error)) Claim {
	text, err := look()
	if err != nil {
		return Claim{Name: name, Text: err.Error()}
	}
	return Claim{Name: name, Holds: true, Text: text}
}

// modelClaim names the newest version of the model and its metrics.
func (u cloudUnder) modelClaim(ctx context.Context, e *arm.Estate, model string) (string, error) {
	ws := e.OfType(service.TypeWorkspace)
	if len(ws) == 0 {
		return "", errors.New("the estate has no workspace")
	}
	versions, err := u.arm.List(ctx, string(ws[0].ID)+"/models/"+model+"/versions")
	if err != nil {
		return "", err
	}
	if len(versions) == 0 {
		return "", fmt.Errorf("no model %s is registered", model)
	}
	newest := versions[0]
	for _, v := range versions {
		if len(v.Name) > len(newest.Name) || len(v.Name) == len(newest.Name) && v.Name > newest.Name {
			newest = v
		}
	}
	tags, _ := arm.Lookup(newest.Properties, "tags")
	var metrics []string
	for k, v := range asStrings(tags) {
		metrics = append(metrics, k+" "+short(v))
	}
	sort.Strings(metrics)
	return fmt.Sprintf("%s version %s: %s", model, newest.Name, strings.Join(metrics, ", ")), nil
}

func asStrings(v any) map[string]string {
	out := map[string]string{}
	m, _ := v.(map[string]any)
	for k, e := range m {
		if s, ok := e.(string); ok {
			out[k] = s
		}
	}
	return out
}

// short writes a number with four digits after the point.
func short(s string) string {
	var f float64
	if _, err := fmt.Sscan(s, &f); err != nil {
		return s
	}
	return fmt.Sprintf("%.4g", f)
}

// answer is what the scoring script answers.
type answer struct {
	Result []float64 `json:"result"`
	Error  string    `json:"error"`
}

// scoreClaim scores from a machine inside and compares with the direct command.
func (u cloudUnder) scoreClaim(ctx context.Context, e *arm.Estate, s *project.Score) (string, error) {
	request, err := os.ReadFile(filepath.Join(u.project.Dir, s.Request))
	if err != nil {
		return "", err
	}
	var got, want answer
	if err := u.score(ctx, s, request, &got); err != nil {
		return "", fmt.Errorf("scoring from %s: %w%s", s.From, err, obstacle(e, s))
	}
	if err := u.direct(ctx, s, &want); err != nil {
		return "", fmt.Errorf("doing the same without the cloud: %w", err)
	}
	if len(got.Result) != len(want.Result) || len(got.Result) == 0 {
		return "", fmt.Errorf("the endpoint answers %v, and scikit-learn alone %v", got.Result, want.Result)
	}
	worst := 0.0
	for i := range got.Result {
		worst = max(worst, math.Abs(got.Result[i]-want.Result[i]))
	}
	if worst > 1e-9 {
		return "", fmt.Errorf("the endpoint answers %v, and scikit-learn alone %v: they differ by %g", got.Result, want.Result, worst)
	}
	return fmt.Sprintf("from %s: %.4f, equal to scikit-learn run alone (largest difference %.1g)", s.From, got.Result, worst), nil
}

func (u cloudUnder) score(ctx context.Context, s *project.Score, request []byte, out *answer) error {
	err := u.runJSON(ctx, s.From, []string{"/bin/sh", "-c",
		`f=$(mktemp) && trap 'rm -f "$f"' EXIT && cat >"$f" && timeout 10 cloister ml online-endpoint invoke --name "$0" --request-file "$f"`, s.Endpoint,
	}, bytes.NewReader(request), out)
	if err == nil && out.Error != "" {
		err = errors.New(out.Error)
	}
	return err
}

// direct runs the project's own command on the outsider, with the project's files
// in a folder of their own.
func (u cloudUnder) direct(ctx context.Context, s *project.Score, out *answer) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(tarFolder(w, u.project.Dir)) }()
	defer r.Close()
	return u.runJSON(ctx, outsider, append([]string{"/bin/sh", "-c",
		`d=$(mktemp -d) && trap 'rm -rf "$d"' EXIT && cd "$d" && tar -x && "$0" "$@"`}, s.Direct...), r, out)
}

// timedOut is the exit status of timeout(1) when the time was up.
const timedOut = 124

// run runs a command in a machine.
func (u cloudUnder) run(ctx context.Context, machine string, args []string, in io.Reader) ([]byte, error) {
	var out, said bytes.Buffer
	status, err := daemon.Exec(ctx, u.daemon, machine, daemon.Command{Args: args, Stdin: in, Stdout: &out, Stderr: &said})
	switch {
	case err != nil:
	case status == timedOut:
		err = errors.New("there is no answer")
	case status != 0:
		err = fmt.Errorf("exit status %d: %s", status, lastLine(said.String()))
	}
	return out.Bytes(), err
}

func (u cloudUnder) runJSON(ctx context.Context, machine string, args []string, in io.Reader, out any) error {
	data, err := u.run(ctx, machine, args, in)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("the answer cannot be read: %s", lastLine(string(data)))
	}
	return nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// refusedClaim makes the same call from the internet, with a key that is right:
// what refuses is the network side, and the reason is the proof's.
func (u cloudUnder) refusedClaim(ctx context.Context, e *arm.Estate, s *project.Score) (string, error) {
	endpoint, err := onlineEndpoint(e, s.Endpoint)
	if err != nil {
		return "", err
	}
	var keys struct {
		Primary string `json:"primaryKey"`
	}
	if err := u.arm.Post(ctx, endpoint.ID, "listKeys", nil, &keys); err != nil {
		return "", err
	}
	host := service.Endpoints(endpoint)[0].Host
	request, err := os.ReadFile(filepath.Join(u.project.Dir, s.Request))
	if err != nil {
		return "", err
	}
	config := fmt.Sprintf("url = \"https://%s/score\"\nheader = \"Authorization: Bearer %s\"\nheader = \"Content-Type: application/json\"\ndata = %q\n",
		host, keys.Primary, request)
	out, err := u.run(ctx, outsider, []string{
		"curl", "--silent", "--show-error", "--max-time", "5", "--output", "/dev/null", "--write-out", "%{http_code} %{remote_ip}", "--config", "-",
	}, strings.NewReader(config))
	_, reason := meeting(e, outsider, host)
	if err != nil {
		return fmt.Sprintf("the same call from the internet does not arrive: %v (%s)", err, reason), nil
	}
	status, addr, _ := strings.Cut(string(out), " ")
	if status != "403" {
		return "", fmt.Errorf("the same call from the internet is answered with %s by %s", status, addr)
	}
	return fmt.Sprintf("the same call from the internet, key and all: 403 at %s: %s", addr, reason), nil
}

func onlineEndpoint(e *arm.Estate, name string) (arm.Resource, error) {
	for _, r := range e.OfType(service.TypeOnlineEndpoint) {
		if strings.EqualFold(r.Name, name) {
			return r, nil
		}
	}
	return arm.Resource{}, fmt.Errorf("there is no online endpoint %s", name)
}

// obstacle is what the proof sees between the scoring machine and the endpoint, if
// it sees something.
func obstacle(e *arm.Estate, s *project.Score) string {
	endpoint, err := onlineEndpoint(e, s.Endpoint)
	if err != nil {
		return ""
	}
	met, reason := meeting(e, s.From, service.Endpoints(endpoint)[0].Host)
	if met == check.MeetAdmitted || met == check.MeetAllowed {
		return ""
	}
	return " (" + string(met) + ": " + reason + ")"
}

// meeting is how far the proof says that a client at a place gets, and why.
func meeting(e *arm.Estate, place, host string) (check.Meeting, string) {
	for _, c := range check.Matrix(e) {
		if c.From.Name == place && strings.EqualFold(c.To.Host, host) {
			step := c.Decisive()
			return c.Outcome(), strings.TrimPrefix(step.At+": "+step.Reason, ": ")
		}
	}
	return check.MeetUnknown, "the proof does not know the host"
}

// packetsClaim holds the packets against the proof.
func (u cloudUnder) packetsClaim(ctx context.Context) (string, error) {
	var cells, wrong []probe.Comparison
	err := u.daemon.Probe(ctx, func(place []probe.Comparison) { cells = append(cells, place...) })
	if err != nil {
		return "", err
	}
	probe.Sort(cells)
	for _, c := range cells {
		if !c.Agrees {
			wrong = append(wrong, c)
		}
	}
	if len(wrong) > 0 {
		return "", fmt.Errorf("%d of %d cells disagree with the proof; first %s to %s: %s", len(wrong), len(cells), wrong[0].Place, wrong[0].Host, wrong[0].Disagree)
	}
	return fmt.Sprintf("from every place to every service, %d cells of %d agree with the proof", len(cells), len(cells)), nil
}

// proofClaim proves the estate as it runs.
func proofClaim(e *arm.Estate) (string, error) {
	report := check.Prove(e, check.Options{})
	if fallen := report.With(check.Violated); len(fallen) > 0 {
		return "", fmt.Errorf("%d of %d requirements fall; first: %s: %s", len(fallen), len(report.Requirements), fallen[0].Title, fallen[0].Reason)
	}
	return fmt.Sprintf("%d requirements hold, %d are unknown", report.Count(check.Holds), report.Count(check.Unknown)), nil
}
