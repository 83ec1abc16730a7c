package cloud

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Metadata is the instance metadata service of one machine: of a virtual
// machine or a compute cluster. Whoever can reach it is that machine, so it must
// be served inside the machine's own network only.
func (c *Cloud) Metadata(owner arm.ID) http.Handler {
	m := &metadata{c: c, owner: owner}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metadata/identity/oauth2/token", m.token)
	mux.HandleFunc("GET /metadata/instance", m.instance)
	mux.HandleFunc("GET /metadata/instance/{path...}", m.instance)
	mux.HandleFunc("GET /metadata/versions", func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, http.StatusOK, arm.Object{"apiVersions": instanceVersions})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		metadataError(w, http.StatusNotFound, "not_found", "There is nothing at this address.")
	})
	return m.guard(mux)
}

type metadata struct {
	c     *Cloud
	owner arm.ID
}

// guard refuses what a program on the machine would not send itself: a request
// that was forwarded, or that a careless fetch of an address could make.
func (m *metadata) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Forwarded-For") != "":
			metadataError(w, http.StatusBadRequest, "invalid_request", "A forwarded request is not answered.")
		case !strings.EqualFold(r.Header.Get("Metadata"), "true"):
			metadataError(w, http.StatusBadRequest, "invalid_request", "Required metadata header not specified")
		case r.URL.Path != "/metadata/versions" && !metadataVersion.MatchString(r.URL.Query().Get("api-version")):
			metadataError(w, http.StatusBadRequest, "bad_request", "Required query variable 'api-version' is missing or is not a date")
		default:
			w.Header().Set("Server", "IMDS/150.870.65.1854")
			next.ServeHTTP(w, r)
		}
	})
}

var metadataVersion = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

func metadataError(w http.ResponseWriter, status int, code, text string) {
	WriteJSON(w, status, arm.Object{"error": code, "error_description": text})
}

func (m *metadata) token(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	resource := query.Get("resource")
	if resource == "" {
		metadataError(w, http.StatusBadRequest, "invalid_request", "Required query variable 'resource' is missing")
		return
	}
	machine, ok := m.c.Get(m.owner)
	if !ok {
		metadataError(w, http.StatusNotFound, "not_found", "The machine is not there any more")
		return
	}
	named := wanted{clientID: query.Get("client_id"), objectID: query.Get("object_id"), resource: query.Get("mi_res_id")}
	if named.resource == "" {
		named.resource = query.Get("msi_res_id")
	}
	id, refusal := m.c.choose(machine, named)
	if refusal != "" {
		metadataError(w, http.StatusBadRequest, "invalid_request", refusal)
		return
	}
	raw, claims, err := m.c.identityToken(id, resource)
	if errors.Is(err, errAudience) {
		metadataError(w, http.StatusBadRequest, "invalid_resource", "AADSTS500011: The resource principal named "+strings.Map(printable, resource)+" was not found in the tenant.")
		return
	}
	if err != nil {
		m.c.log.Error("signing a managed identity's token", "machine", m.owner, "error", err)
		metadataError(w, http.StatusInternalServerError, "unknown", "Failed to retrieve token from the Active directory.")
		return
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	w.Header().Set("Cache-Control", "no-store")
	WriteJSON(w, http.StatusOK, arm.Object{
		"access_token": raw, "client_id": id.clientID, "token_type": "Bearer", "resource": resource,
		"expires_in": number(claims.Expires - claims.IssuedAt - 1), "ext_expires_in": number(claims.Expires - claims.IssuedAt - 1),
		"expires_on": number(claims.Expires), "not_before": number(claims.NotBefore),
	})
}

// wanted is the identity that a program asks for by one of its names.
type wanted struct{ clientID, objectID, resource string }

// choose finds the identity that is asked for among those of a machine: its own
// where it has one and none is named, else the only one that it was given. A
// refusal is in Azure's words.
func (c *Cloud) choose(machine arm.Resource, named wanted) (found identity, refusal string) {
	var list []identity
	own, hasOwn := identityOf(machine)
	if hasOwn {
		list = append(list, own)
	}
	if machine.Identity != nil {
		for user := range machine.Identity.User {
			if r, ok := c.Get(arm.ID(user)); ok {
				id, _ := identityOf(r)
				list = append(list, id)
			}
		}
	}
	if named == (wanted{}) {
		switch {
		case hasOwn:
			return own, ""
		case len(list) == 1:
			return list[0], ""
		case len(list) > 1:
			return identity{}, "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request"
		}
		return identity{}, "Identity not found"
	}
	for _, id := range list {
		if named.clientID != "" && strings.EqualFold(named.clientID, id.clientID) ||
			named.objectID != "" && strings.EqualFold(named.objectID, id.objectID) ||
			named.resource != "" && id.resource.Equal(arm.ID(named.resource)) {
			return id, ""
		}
	}
	return identity{}, "Identity not found"
}
