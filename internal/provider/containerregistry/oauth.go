package containerregistry

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/verdict"
)

// maxForm is the largest form; a token is a few kilobytes.
const maxForm = 64 << 10

func (q *request) parseForm() bool {
	q.Body = http.MaxBytesReader(q.w, q.Body, maxForm)
	if err := q.ParseForm(); err != nil {
		q.badRequest("the body is not a form")
		return false
	}
	if service := q.Form.Get("service"); service != "" && !strings.EqualFold(service, q.host) {
		q.badRequest("the service is not " + q.host)
		return false
	}
	return true
}

func (q *request) badRequest(message string) {
	q.refuse(q.w, &refusal{status: http.StatusBadRequest, code: "BAD_REQUEST", message: message})
}

// exchange is POST /oauth2/exchange: an Entra token for a refresh token.
func (q *request) exchange() {
	if !q.parseForm() {
		return
	}
	if grant := q.PostForm.Get("grant_type"); grant != "access_token" && grant != "access_token_refresh_token" {
		q.badRequest("grant_type must be access_token")
		return
	}
	p, err := q.byEntraToken(q.PostForm.Get("access_token"))
	if err != nil {
		q.refuse(q.w, unauthenticated(err.Error()))
		return
	}
	if !q.mayAnything(p) {
		return
	}
	token, err := q.secrets.sign(q.host, refreshToken, refreshLife, p, nil)
	q.answer(map[string]any{"refresh_token": token}, err)
}

// mayAnything refuses a principal that has no role on the registry at all.
func (q *request) mayAnything(p *principal) bool {
	c := &controller{host: q.service, id: q.resource.ID}
	for _, action := range []string{"push", "delete", "pull"} {
		v := c.may(p, action)
		if v.Value == verdict.Yes {
			return true
		}
		if action == "pull" {
			step := v.Decisive()
			q.refuse(q.w, unauthenticated("access to the registry was denied. "+step.At+": "+step.Reason))
		}
	}
	return false
}

// tokenByForm is POST /oauth2/token.
func (q *request) tokenByForm() {
	if !q.parseForm() {
		return
	}
	var p *principal
	var err error
	switch q.PostForm.Get("grant_type") {
	case "refresh_token":
		p, err = q.secrets.verify(q.host, refreshToken, q.PostForm.Get("refresh_token"))
	case "password":
		p, err = q.byPassword(q.PostForm.Get("username"), q.PostForm.Get("password"))
	default:
		q.badRequest("grant_type must be refresh_token or password")
		return
	}
	q.accessToken(p, err)
}

// tokenByPassword is GET /oauth2/token, which docker login and its like send.
func (q *request) tokenByPassword() {
	if !q.parseForm() {
		return
	}
	user, password, ok := q.BasicAuth()
	if !ok {
		q.refuse(q.w, unauthenticated("there is no user name and password"))
		return
	}
	p, err := q.byPassword(user, password)
	q.accessToken(p, err)
}

// accessToken answers with an access token for what the principal asks for and
// may do.
func (q *request) accessToken(p *principal, err error) {
	if err != nil {
		q.refuse(q.w, unauthenticated(err.Error()))
		return
	}
	if p.admin && !adminEnabled(q.resource) {
		q.refuse(q.w, unauthenticated("the admin user is disabled"))
		return
	}
	var granted []scope
	for _, text := range q.Form["scope"] {
		for _, one := range strings.Fields(text) {
			if s, ok := parseScope(one); ok {
				granted = append(granted, q.grantable(p, s))
			}
		}
	}
	token, err := q.secrets.sign(q.host, accessToken, accessLife, p, granted)
	q.answer(map[string]any{"access_token": token, "token": token, "expires_in": int(accessLife.Seconds())}, err)
}

// parseScope reads type:name:action,action. The name may hold colons.
func parseScope(text string) (scope, bool) {
	first, last := strings.IndexByte(text, ':'), strings.LastIndexByte(text, ':')
	if first <= 0 || last <= first+1 || last == len(text)-1 || len(text) > 1024 {
		return scope{}, false
	}
	return scope{Type: text[:first], Name: text[first+1 : last], Actions: strings.Split(text[last+1:], ",")}, true
}

// grantable is the part of a scope that the principal has the roles for.
func (q *request) grantable(p *principal, s scope) scope {
	c := &controller{host: q.service, id: q.resource.ID}
	may := func(action string) bool { return c.may(p, action).Value == verdict.Yes }
	out := scope{Type: s.Type, Name: s.Name, Actions: []string{}}
	switch {
	case s.Type == "registry" && s.Name == "catalog":
		if may("pull") {
			out.Actions = []string{"*"}
		}
	case s.Type == "repository":
		wanted := s.Actions
		if slices.Contains(wanted, "*") {
			wanted = []string{"pull", "push", "delete"}
		}
		for _, action := range wanted {
			if may(action) && !slices.Contains(out.Actions, action) {
				out.Actions = append(out.Actions, action)
			}
		}
	}
	return out
}

func (q *request) answer(body any, err error) {
	if err != nil {
		q.service.Log().Error("container registry", "registry", q.resource.Name, "error", err)
		q.refuse(q.w, &refusal{status: http.StatusInternalServerError, code: "UNKNOWN", message: "the token cannot be made; see the cloud's log"})
		return
	}
	q.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	q.w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(q.w).Encode(body) // a client that has gone cannot be told
}
