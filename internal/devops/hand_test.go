package devops_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"crypto/x509"
	"encoding/pem"

	"github.com/cloister-ml/cloister/internal/devops"
	"github.com/cloister-ml/cloister/internal/devops/client"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

func itoa(i int) string { return strconv.Itoa(i) }

// recorder is a Watcher that remembers.
type recorder struct{ strings.Builder }

func (r *recorder) Started(rec wire.Record)         { fmt.Fprintln(r, "began "+rec.Identifier) }
func (r *recorder) Line(_ wire.Record, line string) { fmt.Fprintln(r, line) }
func (r *recorder) Ended(rec wire.Record)           { fmt.Fprintln(r, "ended "+rec.Identifier+" "+rec.Result) }

func linesOf(c *client.Client, run int, tl wire.Timeline) string {
	var all []string
	for _, r := range tl.Records {
		if r.Log != nil {
			lines, _ := c.Log(context.Background(), run, r.Log.ID, 0)
			all = append(all, lines...)
		}
	}
	return strings.Join(all, "\n")
}

// prepareKilled makes an organisation's store for another process to serve.
func prepareKilled(t *testing.T, dir, url string) *organisation {
	t.Helper()
	s, err := devops.Open(testOptions(dir, url))
	if err != nil {
		t.Fatal(err)
	}
	o := &organisation{Server: s, t: t, url: url + "/contoso"}
	o.prepare()
	o.pipeline("count", `
stages:
- stage: one
  jobs:
  - job: count
    steps:
    - checkout: none
    - bash: for i in $(seq 1 40); do echo "line $i"; sleep 0.1; done
- stage: two
  jobs:
  - job: more
    steps:
    - checkout: none
    - bash: echo second stage
`, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return o
}

// byHand is an agent that the test plays itself.
type byHand struct {
	t       *testing.T
	base    string
	auth    string
	session string
}

// call makes a request and gives the status and the body.
func call(t *testing.T, auth, method, url, contentType, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func basic(token string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte("anybody:"+token))
}

// registerByHand registers an agent with the real one's help and begins a session.
func (o *organisation) registerByHand(name string) *byHand {
	o.t.Helper()
	home := o.configure(name)
	var credentials struct{ ClientID, AuthorizationURL, PrivateKey string }
	var settings struct{ AgentID int }
	for file, into := range map[string]any{".credentials": &credentials, ".agent": &settings} {
		text, err := os.ReadFile(filepath.Join(home, file))
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			o.t.Fatal(err)
		}
	}
	h := &byHand{t: o.t, base: o.url + "/_apis/distributedtask/pools/1"}
	status, answer := call(o.t, "", http.MethodPost, credentials.AuthorizationURL, "application/x-www-form-urlencoded",
		assertionForm(o.t, credentials.PrivateKey, credentials.ClientID, credentials.AuthorizationURL, time.Now().Add(time.Minute)))
	var token wire.Token
	if err := json.Unmarshal([]byte(answer), &token); err != nil || status != http.StatusOK {
		o.t.Fatalf("%d %s", status, answer)
	}
	h.auth = "Bearer " + token.AccessToken
	status, answer = call(o.t, h.auth, http.MethodPost, h.base+"/sessions", "application/json",
		fmt.Sprintf(`{"ownerName":"here","useFipsEncryption":true,"agent":{"id":%d}}`, settings.AgentID))
	var session wire.Session
	if err := json.Unmarshal([]byte(answer), &session); err != nil || status != http.StatusOK {
		o.t.Fatalf("%d %s", status, answer)
	}
	h.session = session.SessionID
	return h
}

func assertionForm(t *testing.T, key, clientID, audience string, expires time.Time) string {
	t.Helper()
	block, _ := pem.Decode([]byte(key))
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: parsed}, nil)
	if err != nil {
		t.Fatal(err)
	}
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: clientID, Subject: clientID, Audience: jwt.Audience{audience}, Expiry: jwt.NewNumericDate(expires)}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return url.Values{"grant_type": {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion}}.Encode()
}

// poll polls in the background until a message comes.
func (h *byHand) poll() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20 {
			req, err := http.NewRequest(http.MethodGet, h.base+"/messages?sessionId="+h.session, nil)
			if err != nil {
				return
			}
			req.Header.Set("Authorization", h.auth)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return
			}
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
	}()
	h.t.Cleanup(func() { <-done })
	time.Sleep(200 * time.Millisecond) // the poll has begun
}
