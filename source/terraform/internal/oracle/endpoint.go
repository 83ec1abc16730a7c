package oracle

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cloister-ml/cloister/arm"
)

// maxBody bounds a request's body.
const maxBody = 16 << 20

// Endpoint answers as Azure Resource Manager and as the services beside it do, and
// records what is written to it.
type Endpoint struct {
	// Tenant is the directory that everything is in.
	Tenant string
	// Roles are the GUIDs of the roles that are built in, by their names in lower case.
	Roles map[string]string
	// Log is told of each request that is not answered with something known.
	Log func(line string)

	mu      sync.Mutex
	docs    map[string]stored // by key
	writes  []Write
	missed  map[string]string     // requests for documents that are not there, by key
	secrets map[string]arm.Object // what the vaults hold, by path
}

// stored is a document as it was written and as it is read.
type stored struct{ sent, doc arm.Object }

// Write is one body that a client has sent to a resource.
type Write struct {
	ID         arm.ID
	APIVersion string
	Patch      bool
	Body       arm.Object
}

// Writes are what was written so far, in order.
func (e *Endpoint) Writes() []Write {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.writes)
}

// Missed are the documents that were asked for and never written, and what asked:
// where a provider waits, it waits for one of these.
func (e *Endpoint) Missed() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Values(e.missed))
}

// ServeHTTP answers one request by the host that it is meant for.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	a := answer{w: w}
	switch {
	case strings.HasPrefix(host, "login."):
		e.login(a, r)
	case host == "graph.microsoft.com":
		e.graph(a, r)
	case strings.HasSuffix(host, ".vault.azure.net"):
		e.vault(a, r, host)
	case host == "management.azure.com":
		e.manage(a, r)
	default:
		e.note(r)
		a.json(http.StatusOK, arm.Object{})
	}
}

// manage answers as Azure Resource Manager.
func (e *Endpoint) manage(a answer, r *http.Request) {
	path := "/" + strings.Trim(r.URL.Path, "/")
	body, err := readObject(r.Body)
	if err != nil {
		a.fail(http.StatusBadRequest, "InvalidRequestContent", err.Error())
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		e.get(a, r, path)
	case http.MethodPut:
		_, again := e.docs[strings.ToLower(path)]
		doc := e.put(path, r.URL.Query().Get("api-version"), body)
		a.json(created(doc, again), doc)
	case http.MethodPatch:
		a.json(http.StatusOK, e.patch(path, r.URL.Query().Get("api-version"), body))
	case http.MethodPost:
		e.post(a, r, path)
	case http.MethodDelete:
		delete(e.docs, strings.ToLower(path))
		a.json(http.StatusOK, nil)
	default:
		a.fail(http.StatusMethodNotAllowed, "MethodNotAllowed", r.Method)
	}
}

func readObject(r io.Reader) (arm.Object, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxBody))
	if err != nil || len(raw) == 0 {
		return arm.Object{}, err
	}
	o := arm.Object{}
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, fmt.Errorf("the body is not a JSON object: %w", err)
	}
	return o, nil
}

func (e *Endpoint) put(path, version string, body arm.Object) arm.Object {
	id := arm.ID(path)
	before, again := e.docs[id.Key()]
	if again {
		strip(body, before.doc, before.sent)
	}
	e.writes = append(e.writes, Write{ID: id, APIVersion: version, Body: arm.Clone(body)})
	return e.keep(id, body)
}

func (e *Endpoint) patch(path, version string, body arm.Object) arm.Object {
	id := arm.ID(path)
	before := e.docs[id.Key()]
	strip(body, before.doc, before.sent)
	e.writes = append(e.writes, Write{ID: id, APIVersion: version, Patch: true, Body: arm.Clone(body)})
	return e.keep(id, merge(arm.Clone(before.sent), body))
}

// keep stores a document with what Azure adds to it.
func (e *Endpoint) keep(id arm.ID, sent arm.Object) arm.Object {
	if e.docs == nil {
		e.docs = map[string]stored{}
	}
	delete(e.missed, id.Key())
	doc, others := completed(id, arm.Clone(sent), e.Tenant)
	e.docs[id.Key()] = stored{sent: sent, doc: doc}
	e.list(id, doc)
	for _, o := range others {
		e.docs[arm.ID(arm.String(o, "id")).Key()] = stored{doc: o}
	}
	return doc
}

var (
	groupPath      = regexp.MustCompile(`(?i)/resourcegroups/[^/]+$`)
	collectionPath = regexp.MustCompile(`(?i)/providers/[^/]+/[^/]+(/[^/]+/[^/]+)*$`)
)

func (e *Endpoint) get(a answer, r *http.Request, path string) {
	if doc, ok := e.docs[strings.ToLower(path)]; ok {
		a.json(http.StatusOK, doc.doc)
		return
	}
	if doc, ok := e.derived(path, r.URL.Query()); ok {
		a.json(http.StatusOK, doc)
		return
	}
	if doc, ok := elsewhere(arm.ID(path), e.Tenant); ok {
		a.json(http.StatusOK, doc)
		return
	}
	switch {
	case groupPath.MatchString(path):
		a.fail(http.StatusNotFound, "ResourceGroupNotFound", "There is no such group.")
	case isCollection(path):
		a.json(http.StatusOK, arm.Object{"value": e.members(path)})
	default:
		if e.missed == nil {
			e.missed = map[string]string{}
		}
		e.missed[strings.ToLower(path)] = r.Method + " " + r.URL.RequestURI()
		a.fail(http.StatusNotFound, "ResourceNotFound", "There is no such resource.")
	}
}

// isCollection reports whether a path names a type and no resource of it.
func isCollection(path string) bool {
	i := strings.LastIndex(strings.ToLower(path), "/providers/")
	if i < 0 || !collectionPath.MatchString(path) {
		return false
	}
	return strings.Count(path[i+len("/providers/"):], "/")%2 == 1
}

// members are the documents directly below a collection's path.
func (e *Endpoint) members(path string) []any {
	prefix := strings.ToLower(path) + "/"
	out := []any{}
	keys := make([]string, 0, len(e.docs))
	for key := range e.docs {
		if rest, ok := strings.CutPrefix(key, prefix); ok && !strings.Contains(rest, "/") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		out = append(out, e.docs[key].doc)
	}
	return out
}

func (e *Endpoint) note(r *http.Request) {
	if e.Log != nil {
		e.Log(fmt.Sprintf("%s %s%s", r.Method, r.Host, r.URL.RequestURI()))
	}
}

// answer writes one answer.
type answer struct{ w http.ResponseWriter }

func (a answer) json(status int, body any) {
	h := a.w.Header()
	h.Set("Content-Type", "application/json")
	// Without this header the provider waits ten seconds before it looks again.
	h.Set("X-Go-Azure-Sdk-Skip-Polling-Delay", "true")
	if status == http.StatusAccepted {
		h.Set("Azure-AsyncOperation", "https://management.azure.com"+operations+"?api-version=2020-01-01")
	}
	a.w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(a.w).Encode(body) // a client that has gone needs no answer
	}
}

func (a answer) fail(status int, code, message string) {
	a.json(status, arm.Object{"error": arm.Object{"code": code, "message": message}})
}
