package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/probe"
)

// Status is what a running cloud says of itself.
type Status struct {
	Name         string         `json:"name"`
	PID          int            `json:"pid"`
	Mode         Mode           `json:"mode"`
	Tenant       string         `json:"tenant"`
	Subscription string         `json:"subscription"`
	Machines     []Machine      `json:"machines"`
	Resources    []cloud.Status `json:"resources"`
	Agents       []Agent        `json:"agents"`
	Limits       []string       `json:"unenforcedLimits,omitempty"` // that this host does not enforce
	Notes        []string       `json:"notes,omitempty"`            // what of the networks is not built as the documents say
}

// Machine is a virtual machine, a compute node or the machine on the internet.
type Machine struct {
	Name      string `json:"name"`
	ID        arm.ID `json:"id,omitempty"`
	Kind      string `json:"kind"`
	Address   string `json:"address,omitempty"`
	Address6  string `json:"address6,omitempty"` // the first of IPv6
	Namespace string `json:"namespace"`
	Sandbox   string `json:"sandbox,omitempty"` // that a command can be run in
	Running   bool   `json:"running"`
}

// Agent is a self-hosted agent of the DevOps organisation.
type Agent struct {
	Name   string `json:"name"`
	Pool   string `json:"pool"`
	Online bool   `json:"online"`
}

// serveSocket answers the command line at the daemon's private socket: who may
// open it may do everything.
func (d *Daemon) serveSocket(ctx context.Context) error {
	path := socketFile(d.options.Dir)
	if err := ignoreMissing(os.Remove(path)); err != nil { // left by a process that was killed
		return err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("opening the daemon's socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil { // until then the folder's mode keeps others out
		return err
	}
	server := &http.Server{Handler: d.socketRoutes(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("serving the command line", "error", err)
		}
	}()
	return nil
}

func (d *Daemon) socketRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		cloud.WriteJSON(w, http.StatusOK, d.status(r.Context()))
	})
	mux.HandleFunc("GET /work", func(w http.ResponseWriter, _ *http.Request) {
		cloud.WriteJSON(w, http.StatusOK, d.cloud.Work())
	})
	mux.HandleFunc("GET /estate", func(w http.ResponseWriter, _ *http.Request) {
		cloud.WriteJSON(w, http.StatusOK, d.cloud.Estate())
	})
	mux.HandleFunc("POST /project", d.postProject)
	mux.HandleFunc("GET /variables", d.getVariables)
	mux.HandleFunc("GET /nsg", d.getGroups)
	mux.HandleFunc("GET /firewall/log", d.getFirewallLog)
	mux.HandleFunc("GET /nsg/flows", d.getFlows)
	mux.HandleFunc("GET /nsg/flowlogs", d.getFlowLogs)
	mux.HandleFunc("POST /probe", d.postProbe)
	mux.HandleFunc("POST /down", d.postDown)
	d.principalRoutes(mux)
	mux.HandleFunc("POST /vpn/profiles", d.postVPN)
	mux.HandleFunc("GET /gateways/{gateway}", d.getGateway)
	mux.HandleFunc("POST /bastion/login", d.postLogin)
	mux.HandleFunc("POST /bastion/connect", d.postConnect)
	mux.Handle("/devops/", http.StripPrefix("/devops", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.devops.handler().ServeHTTP(w, r)
	})))
	return mux
}

// postDown ends the daemon. The answer is on its way whole before that: the end
// closes every connection.
func (d *Daemon) postDown(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusAccepted)
	if err := http.NewResponseController(w).Flush(); err != nil {
		d.log.Warn("answering", "error", err)
	}
	d.stop(ErrDown)
}

// maxBody bounds what the command line sends.
const maxBody = 4 << 20

func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func (d *Daemon) postProject(w http.ResponseWriter, r *http.Request) {
	var p Project
	if !readJSON(w, r, &p) {
		return
	}
	tokens, err := d.devops.set(r.Context(), p)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	cloud.WriteJSON(w, http.StatusOK, tokens)
}

// getVariables answers with the values that Terraform is given, secrets among them:
// who may open the socket may read their files too.
func (d *Daemon) getVariables(w http.ResponseWriter, _ *http.Request) {
	vars, err := d.devops.variables()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	cloud.WriteJSON(w, http.StatusOK, vars)
}

// postProbe answers place by place.
func (d *Daemon) postProbe(w http.ResponseWriter, r *http.Request) {
	out := newLines[[]probe.Comparison](w)
	out.fail(d.Probe(r.Context(), out.item))
}
