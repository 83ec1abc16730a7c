package daemon

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/cloister-ml/cloister/internal/cloud"
)

// NewUser is a user who is to be made, or is given another password.
type NewUser struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// Approval lets the program that shows a code in as a user.
type Approval struct {
	Code   string `json:"code,omitempty"`
	User   string `json:"user,omitempty"`
	Client string `json:"client,omitempty"` // in the answer: the program
}

func (d *Daemon) userRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /users", func(w http.ResponseWriter, _ *http.Request) {
		cloud.WriteJSON(w, http.StatusOK, d.cloud.Users())
	})
	mux.HandleFunc("POST /users", func(w http.ResponseWriter, r *http.Request) {
		var u NewUser
		if !readJSON(w, r, &u) {
			return
		}
		made, err := d.cloud.NewUser(r.Context(), u.Name, u.Password)
		answerJSON(w, made, err)
	})
	mux.HandleFunc("PUT /users/{name}", func(w http.ResponseWriter, r *http.Request) {
		var u NewUser
		if !readJSON(w, r, &u) {
			return
		}
		d.withUser(w, r, func(id string) error { return d.cloud.SetUserPassword(r.Context(), id, u.Password) })
	})
	mux.HandleFunc("DELETE /users/{name}", func(w http.ResponseWriter, r *http.Request) {
		d.withUser(w, r, func(id string) error { return d.cloud.DeleteUser(r.Context(), id) })
	})
	mux.HandleFunc("POST /users/approve", func(w http.ResponseWriter, r *http.Request) {
		var a Approval
		if !readJSON(w, r, &a) {
			return
		}
		client, err := d.cloud.ApproveDevice(a.Code, a.User)
		answerJSON(w, Approval{Client: client}, err)
	})
}

func (d *Daemon) withUser(w http.ResponseWriter, r *http.Request, do func(id string) error) {
	u, ok := d.cloud.FindUser(r.PathValue("name"))
	if !ok {
		answerDone(w, fmt.Errorf("there is no user %s", r.PathValue("name")))
		return
	}
	answerDone(w, do(u.ObjectID))
}

func answerJSON(w http.ResponseWriter, v any, err error) {
	if err != nil {
		answerDone(w, err)
		return
	}
	cloud.WriteJSON(w, http.StatusOK, v)
}

// Users asks for the users.
func (c *Client) Users(ctx context.Context) (list []cloud.User, err error) {
	return list, c.do(ctx, http.MethodGet, "/users", nil, &list)
}

// NewUser makes a user.
func (c *Client) NewUser(ctx context.Context, u NewUser) (made cloud.User, err error) {
	return made, c.do(ctx, http.MethodPost, "/users", u, &made)
}

// SetUserPassword gives a user another password; their sessions end.
func (c *Client) SetUserPassword(ctx context.Context, u NewUser) error {
	return c.do(ctx, http.MethodPut, "/users/"+url.PathEscape(u.Name), u, nil)
}

// DeleteUser ends a user.
func (c *Client) DeleteUser(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodDelete, "/users/"+url.PathEscape(name), nil, nil)
}

// ApproveDevice lets the program that shows a code in as a user, and returns its name.
func (c *Client) ApproveDevice(ctx context.Context, code, user string) (client string, err error) {
	var answer Approval
	err = c.do(ctx, http.MethodPost, "/users/approve", Approval{Code: code, User: user}, &answer)
	return answer.Client, err
}
