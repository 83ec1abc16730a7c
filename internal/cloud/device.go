package cloud

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/directory"
	"github.com/cloister-ml/cloister/internal/cloud/session"
)

// serveDeviceCode begins a sign-in that is made in a browser elsewhere (RFC 8628,
// section 3.2).
func (c *Cloud) serveDeviceCode(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if !readForm(w, r) {
		return
	}
	q := tokenRequest{r, !strings.Contains(r.URL.Path, "/v2.0/")}
	body, err := c.deviceCode(q)
	if err != nil {
		c.refuseLogin(w, err)
		return
	}
	WriteJSON(w, http.StatusOK, body)
}

func (c *Cloud) deviceCode(q tokenRequest) (arm.Object, error) {
	client := strings.ToLower(q.get("client_id"))
	if !c.isClient(client) {
		return nil, refuse("unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory.", strings.Map(printable, client))
	}
	if !c.isPublic(client) {
		return nil, errNoSecret()
	}
	scope := q.wanted()
	resource, err := resourceOf(scope)
	if err != nil {
		return nil, err
	}
	if !c.audiences.known(resource) {
		return nil, errResource(resource)
	}
	code, user, err := c.devices.Begin(client, scope)
	if err != nil {
		return nil, refuse("temporarily_unavailable", 90033, "%v.", err)
	}
	at := c.audiences.address()
	if at == "" {
		at = "https://" + q.r.Host
	}
	at += "/common/oauth2/deviceauth"
	return arm.Object{
		"device_code": code, "user_code": user, "verification_uri": at, "verification_url": at,
		"expires_in": int(session.DeviceLifetime / time.Second), "interval": int(session.Interval / time.Second),
		"message": fmt.Sprintf("To sign in, open the page %s in a browser of this machine and enter the code %s to authenticate (or run: cloister principal approve %s --user NAME).", at, user, user),
	}, nil
}

// getDeviceAuth is the page at which a user enters a code, and then signs in.
func (c *Cloud) getDeviceAuth(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("user_code")
	if code == "" {
		code = r.URL.Query().Get("otc")
	}
	if code == "" {
		c.showPage(w, http.StatusOK, page{Title: "Enter the code", Text: "Enter the code that your device or program shows.", Action: r.URL.Path, AskCode: true, Get: true})
		return
	}
	c.showDevice(w, r, http.StatusOK, code, "", "")
}

// showDevice shows who asks for the sign-in, and asks for name and password.
func (c *Cloud) showDevice(w http.ResponseWriter, r *http.Request, status int, code, name, problem string) {
	from := sourceOf(r)
	if c.attempts.Refused(from, c.now()) {
		c.showPage(w, http.StatusTooManyRequests, page{Title: "Enter the code", Problem: "Too many wrong codes were entered. Wait a minute."})
		return
	}
	waiting, ok := c.devices.Waiting(code)
	if !ok {
		c.attempts.Failed(from, c.now())
		c.showPage(w, http.StatusNotFound, page{Title: "Enter the code", Problem: "The code is wrong, has expired or was used.", Action: r.URL.Path, AskCode: true, Get: true})
		return
	}
	c.showPage(w, status, page{
		Title: "Sign in", Problem: problem, Action: r.URL.Path, Form: formSecret(w, r), AskUser: true, Name: name, Hidden: []field{{"user_code", waiting.UserCode}},
		Text: "You are about to sign in to " + c.clientName(waiting.Client) + " on another device. Go on only if you have just started this there yourself.",
	})
}

func (c *Cloud) postDeviceAuth(w http.ResponseWriter, r *http.Request) {
	if !c.pageForm(w, r) {
		return
	}
	code, name := r.PostForm.Get("user_code"), r.PostForm.Get("username")
	if _, ok := c.devices.Waiting(code); !ok {
		c.showDevice(w, r, http.StatusNotFound, code, "", "")
		return
	}
	if r.PostForm.Get("cancel") != "" {
		c.devices.Decline(code)
		c.showPage(w, http.StatusOK, page{Title: "Declined", Text: "The device is not signed in. You can close this page."})
		return
	}
	u, err := c.checkPassword(directory.FullName(name), r.PostForm.Get("password"))
	if err != nil {
		c.showDevice(w, r, http.StatusUnauthorized, code, name, messageOf(err))
		return
	}
	if _, err := c.devices.Approve(code, u.ID); err != nil {
		c.showDevice(w, r, http.StatusNotFound, code, "", "")
		return
	}
	c.attempts.Succeeded(sourceOf(r))
	c.showPage(w, http.StatusOK, page{Title: "Signed in", Text: "You have signed in on your device. You can close this page."})
}

// ApproveDevice lets the client that waits with a user code in as a user, and returns
// the client's name. Who can call it can open the cloud's folder.
func (c *Cloud) ApproveDevice(code, user string) (client string, err error) {
	u, ok := c.directory.User(directory.FullName(user))
	if !ok || u.Disabled {
		return "", fmt.Errorf("approving the code %s: %w: the user %s", code, directory.ErrNone, user)
	}
	found, err := c.devices.Approve(code, u.ID)
	if err != nil {
		return "", fmt.Errorf("approving the code %s: %w", code, err)
	}
	return c.clientName(found.Client), nil
}
