package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/task"
)

// audience of the workspace's tokens.
const audience = "https://ml.azure.com"

// Errors of the workspace's answers.
var (
	errLeaseLost = errors.New("the workspace has taken the task back")
	errGone      = errors.New("the workspace does not know this node")
)

// workspace speaks the task protocol.
type workspace struct {
	link *Link
	base string // https://{host}/compute/v1.0{cluster id}
	node int
}

func newWorkspace(link *Link, host string, cluster arm.ID, node int) *workspace {
	return &workspace{link: link, base: "https://" + host + "/compute/v1.0" + string(cluster), node: node}
}

// claim asks for a task. It is nil when there is none.
func (w *workspace) claim(ctx context.Context, wait time.Duration) (*task.Task, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+15*time.Second)
	defer cancel()
	var t task.Task
	status, err := w.post(ctx, "/claim", task.Claim{Node: w.node, Wait: int(wait / time.Second)}, &t)
	if err != nil || status == http.StatusNoContent {
		return nil, err
	}
	return &t, nil
}

func (w *workspace) heartbeat(ctx context.Context, lease, state string) (cancel bool, err error) {
	var a task.Answer
	_, err = w.post(ctx, "/leases/"+lease+"/heartbeat", task.Heartbeat{State: state}, &a)
	return a.Cancel, err
}

// appendLog sends a piece of log and gives how much the workspace has.
func (w *workspace) appendLog(ctx context.Context, lease string, offset int64, piece []byte) (int64, error) {
	var o task.Offset
	_, err := w.send(ctx, "/leases/"+lease+"/log?offset="+strconv.FormatInt(offset, 10), "text/plain; charset=utf-8", piece, &o)
	return o.Offset, err
}

func (w *workspace) complete(ctx context.Context, lease string, r task.Result) error {
	_, err := w.post(ctx, "/leases/"+lease+"/complete", r, nil)
	return err
}

func (w *workspace) post(ctx context.Context, path string, in, out any) (status int, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return 0, err
	}
	return w.send(ctx, path, "application/json", body, out)
}

func (w *workspace) send(ctx context.Context, path, kind string, body []byte, out any) (status int, err error) {
	token, err := w.link.Token(ctx, audience)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", kind)
	resp, err := w.link.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("calling the workspace: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return 0, fmt.Errorf("calling the workspace: %w", err)
	}
	if resp.StatusCode >= 300 {
		return resp.StatusCode, refusal(resp.StatusCode, data)
	}
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return resp.StatusCode, nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return resp.StatusCode, fmt.Errorf("the workspace's answer: %w", err)
	}
	return resp.StatusCode, nil
}

func refusal(status int, data []byte) error {
	var body struct {
		Error struct{ Code, Message string }
	}
	_ = json.Unmarshal(data, &body) // without it the status says enough
	switch {
	case body.Error.Code == task.LeaseLost:
		return errLeaseLost
	case status == http.StatusGone:
		return errGone
	}
	return fmt.Errorf("the workspace answers %d %s: %s", status, body.Error.Code, body.Error.Message)
}
