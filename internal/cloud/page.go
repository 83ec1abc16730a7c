package cloud

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/cloister-ml/cloister/internal/cloud/session"
)

// page is one of the few pages of the token service.
type page struct {
	Title, Text, Problem string
	Action               string // where the form goes; "" where there is none
	Form                 string // the hidden field that binds the form to the browser
	Hidden               []field
	Get                  bool // the form asks, and changes nothing
	AskCode, AskUser     bool
	Name                 string
	Send                 bool   // the form is sent by itself, to a client
	Nonce                string // of the style and the script
}

type field struct{ Name, Value string }

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}} - Cloister</title>
<style nonce="{{.Nonce}}">body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem}
label,input,button{display:block;width:100%;box-sizing:border-box}input,button{font:inherit;padding:.5rem;margin:.25rem 0 1rem}.problem{color:#a4262c}</style></head>
<body><h1>{{.Title}}</h1>
{{with .Text}}<p>{{.}}</p>{{end}}{{with .Problem}}<p class="problem" role="alert">{{.}}</p>{{end}}
{{if .Action}}<form id="form" method="{{if .Get}}get{{else}}post{{end}}" action="{{.Action}}" autocomplete="off">
{{with .Form}}<input type="hidden" name="form" value="{{.}}">{{end}}{{range .Hidden}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">{{end}}
{{if .AskCode}}<label for="code">Code</label><input id="code" name="user_code" required autofocus maxlength="32">{{end}}
{{if .AskUser}}<label for="username">User name</label><input id="username" name="username" value="{{.Name}}" required autofocus maxlength="256" autocomplete="username">
<label for="password">Password</label><input id="password" name="password" type="password" maxlength="256" autocomplete="current-password">
<button>Sign in</button><button name="cancel" value="1" formnovalidate>Cancel</button>{{else}}<button>Go on</button>{{end}}</form>{{end}}
{{if .Send}}<script nonce="{{.Nonce}}">document.getElementById("form").submit()</script>{{end}}
</body></html>
`))

// showPage shows a page that no other site may frame, and that loads nothing.
func (c *Cloud) showPage(w http.ResponseWriter, status int, p page) {
	p.Nonce = session.Secret()
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, p); err != nil {
		c.log.Error("showing a page", "page", p.Title, "error", err)
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	// Browsers hold a redirect after the form against form-action as well.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+p.Nonce+"'; script-src 'nonce-"+p.Nonce+"'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https: http://localhost:* http://127.0.0.1:*")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = text.WriteTo(w) // the client has gone: nothing to be done
}

func (c *Cloud) showError(w http.ResponseWriter, _ *http.Request, err error) {
	var e *refusal
	status := http.StatusInternalServerError
	text := messageOf(err)
	if errors.As(err, &e) {
		status, text = e.status, e.Error()
	}
	c.showPage(w, status, page{Title: "Sign-in is not possible", Problem: text})
}

// showSignIn shows the form with which a user signs in to a client.
func (c *Cloud) showSignIn(w http.ResponseWriter, r *http.Request, status int, a authorization, problem string) {
	hidden := []field{
		{"client_id", a.Client}, {"redirect_uri", a.Redirect}, {"scope", a.Scope}, {"state", a.State}, {"nonce", a.Nonce},
		{"code_challenge", a.Challenge}, {"code_challenge_method", a.method}, {"response_mode", a.Mode}, {"response_type", a.kind},
	}
	c.showPage(w, status, page{
		Title: "Sign in", Text: "Sign in to " + c.clientName(a.Client) + ".", Problem: problem,
		Action: "/" + r.PathValue("tenant") + "/oauth2/signin", Form: formSecret(w, r), AskUser: true, Name: a.Hint, Hidden: hidden,
	})
}

// sendBack sends the answer to the client's address, in the query or as a form.
func (c *Cloud) sendBack(w http.ResponseWriter, r *http.Request, a authorization, answer url.Values) {
	if a.State != "" {
		answer.Set("state", a.State)
	}
	if a.Mode == "form_post" {
		p := page{Title: "Signed in", Text: "You are being sent back.", Action: a.Redirect, Send: true}
		for name := range answer {
			p.Hidden = append(p.Hidden, field{name, answer.Get(name)})
		}
		c.showPage(w, http.StatusOK, p)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	separator := "?"
	if strings.Contains(a.Redirect, "?") {
		separator = "&"
	}
	http.Redirect(w, r, a.Redirect+separator+answer.Encode(), http.StatusSeeOther)
}
