package daemon

import (
	"context"
	"net/http"
	"net/url"

	"github.com/cloister-ml/cloister/internal/cloud"
)

// NewPrincipal is a service principal that is to be made.
type NewPrincipal struct {
	Name string `json:"name"`
	// Certificate in PEM, and Federation, are what it shows besides its secret.
	Certificate string            `json:"certificate,omitempty"`
	Federation  *cloud.Federation `json:"federation,omitempty"`
}

func (d *Daemon) principalRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /principals", func(w http.ResponseWriter, _ *http.Request) {
		cloud.WriteJSON(w, http.StatusOK, d.cloud.ServicePrincipals())
	})
	mux.HandleFunc("POST /principals", d.postPrincipal)
	mux.HandleFunc("DELETE /principals/{app}", func(w http.ResponseWriter, r *http.Request) {
		answerDone(w, d.cloud.DeleteServicePrincipal(r.Context(), r.PathValue("app")))
	})
	d.userRoutes(mux)
	mux.HandleFunc("POST /principals/rotate-keys", func(w http.ResponseWriter, _ *http.Request) {
		answerDone(w, d.cloud.RotateKeys())
	})
}

func answerDone(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (d *Daemon) postPrincipal(w http.ResponseWriter, r *http.Request) {
	var p NewPrincipal
	if !readJSON(w, r, &p) {
		return
	}
	made, err := d.newPrincipal(r.Context(), p)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	cloud.WriteJSON(w, http.StatusOK, made)
}

func (d *Daemon) newPrincipal(ctx context.Context, p NewPrincipal) (cloud.Credentials, error) {
	if p.Certificate == "" && p.Federation == nil {
		return d.cloud.NewServicePrincipal(ctx, p.Name)
	}
	var proofs []func(app string) error
	if p.Certificate != "" {
		cert, err := cloud.ParseCertificate([]byte(p.Certificate))
		if err != nil {
			return cloud.Credentials{}, err
		}
		proofs = append(proofs, func(app string) error { return d.cloud.AddCertificate(ctx, app, cert) })
	}
	if p.Federation != nil {
		proofs = append(proofs, func(app string) error { return d.cloud.AddFederation(ctx, app, *p.Federation) })
	}
	made, err := d.cloud.NewServicePrincipal(ctx, p.Name)
	for _, add := range proofs {
		if err == nil {
			err = add(made.ClientID)
		}
	}
	return made, err
}

// Principals asks for the service principals.
func (c *Client) Principals(ctx context.Context) (list []cloud.ServicePrincipal, err error) {
	return list, c.do(ctx, http.MethodGet, "/principals", nil, &list)
}

// NewPrincipal makes one, and returns its secret.
func (c *Client) NewPrincipal(ctx context.Context, p NewPrincipal) (made cloud.Credentials, err error) {
	return made, c.do(ctx, http.MethodPost, "/principals", p, &made)
}

// DeletePrincipal ends one, by its application id.
func (c *Client) DeletePrincipal(ctx context.Context, app string) error {
	return c.do(ctx, http.MethodDelete, "/principals/"+url.PathEscape(app), nil, nil)
}

// RotateKeys makes a new key that signs tokens.
func (c *Client) RotateKeys(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, "/principals/rotate-keys", nil, nil)
}
