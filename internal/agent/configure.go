package agent

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// Configuration is what an agent is configured with.
type Configuration struct {
	Home    string // where its settings are kept
	URL     string // of the organisation: https://dev.azure.com/ORGANISATION
	Token   string // a personal access token that may manage agent pools
	Pool    string
	Name    string // the machine's name when empty
	Work    string // _work in its home when empty
	Replace bool   // take the place of an agent of the same name
}

// Configure registers an agent with its organisation.
func Configure(ctx context.Context, c Configuration) (Settings, error) {
	if err := c.complete(); err != nil {
		return Settings{}, err
	}
	if _, err := os.Stat(filepath.Join(c.Home, settingsFile)); err == nil && !c.Replace {
		return Settings{}, fmt.Errorf("an agent is configured in %s already; run `cloister agent remove`, or configure with --replace", c.Home)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return Settings{}, err
	}
	api := patClient(c.URL, c.Token)
	pool, err := findPool(ctx, api, c.Pool)
	if err != nil {
		return Settings{}, err
	}
	registered, err := register(ctx, api, pool, c, key)
	if err != nil {
		return Settings{}, err
	}
	s := Settings{ServerURL: c.URL, PoolID: pool.ID, PoolName: pool.Name, AgentID: registered.ID, AgentName: c.Name, WorkFolder: c.Work}
	return s, save(c.Home, s, registered, key)
}

func (c *Configuration) complete() error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") == "" {
		return fmt.Errorf("--url must be the organisation's, such as https://dev.azure.com/ORGANISATION, not %q", c.URL)
	}
	if u.Scheme == "http" && u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost" {
		return errors.New("--url must be https: the token would be readable on the way")
	}
	c.URL = strings.TrimSuffix(c.URL, "/")
	if c.Token == "" {
		return errors.New("a token is needed: --token or CLOISTER_AGENT_TOKEN")
	}
	if c.Pool == "" {
		c.Pool = "Default"
	}
	if c.Name == "" {
		if c.Name, err = os.Hostname(); err != nil {
			return err
		}
	}
	if c.Home, err = filepath.Abs(c.Home); err != nil {
		return err
	}
	if c.Work == "" {
		c.Work = "_work"
	}
	if !filepath.IsAbs(c.Work) {
		c.Work = filepath.Join(c.Home, c.Work)
	}
	return os.MkdirAll(c.Home, 0o755)
}

func patClient(base, token string) *client {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(":"+token))
	return &client{base: base, http: newHTTPClient(), token: func(context.Context) (string, error) { return basic, nil }}
}

func findPool(ctx context.Context, api *client, name string) (wire.Pool, error) {
	var pools wire.List[wire.Pool]
	if _, err := api.call(ctx, requestTimeout, http.MethodGet, "/_apis/distributedtask/pools?poolName="+url.QueryEscape(name), nil, &pools); err != nil {
		return wire.Pool{}, explain(err, api.base)
	}
	if len(pools.Value) == 0 {
		return wire.Pool{}, fmt.Errorf("the organisation has no agent pool %s", name)
	}
	return pools.Value[0], nil
}

// explain says what to do about the commonest refusals.
func explain(err error, base string) error {
	switch {
	case isStatus(err, http.StatusUnauthorized):
		return fmt.Errorf("%s does not accept the token", base)
	case isStatus(err, http.StatusForbidden):
		return fmt.Errorf("the token may not manage agent pools of %s", base)
	}
	return err
}

func register(ctx context.Context, api *client, pool wire.Pool, c Configuration, key *rsa.PrivateKey) (wire.Agent, error) {
	path := fmt.Sprintf("/_apis/distributedtask/pools/%d/agents", pool.ID)
	var known wire.List[wire.Agent]
	if _, err := api.call(ctx, requestTimeout, http.MethodGet, path+"?agentName="+url.QueryEscape(c.Name), nil, &known); err != nil {
		return wire.Agent{}, explain(err, api.base)
	}
	in := wire.Agent{
		Name: c.Name, Version: Version(), OSDescription: osDescription(), Enabled: true, MaxParallelism: 1,
		SystemCapabilities: capabilities(c.Name, c.Home),
		Authorization: &wire.Authorization{PublicKey: &wire.PublicKey{
			Exponent: big.NewInt(int64(key.E)).Bytes(), Modulus: key.N.Bytes(),
		}},
	}
	method := http.MethodPost
	if len(known.Value) > 0 {
		if !c.Replace {
			return wire.Agent{}, fmt.Errorf("pool %s has an agent %s already; configure with --replace to take its place", pool.Name, c.Name)
		}
		in.ID = known.Value[0].ID
		method, path = http.MethodPut, fmt.Sprintf("%s/%d", path, in.ID)
	}
	var out wire.Agent
	if _, err := api.call(ctx, requestTimeout, method, path, in, &out); err != nil {
		return out, explain(err, api.base)
	}
	if out.Authorization == nil || out.Authorization.ClientID == "" {
		return out, errors.New("the organisation registered the agent without a client id")
	}
	return out, nil
}

func save(home string, s Settings, registered wire.Agent, key *rsa.PrivateKey) error {
	text, err := encodeKey(key)
	if err != nil {
		return err
	}
	c := credentials{ClientID: registered.Authorization.ClientID, AuthorizationURL: registered.Authorization.AuthorizationURL, PrivateKey: text}
	if err := writeJSON(filepath.Join(home, credentialsFile), c); err != nil {
		return err
	}
	return writeJSON(filepath.Join(home, settingsFile), s)
}

// Remove takes the agent of a home out of its pool, and forgets it. It is
// forgotten too when the pool does not know it any more.
func Remove(ctx context.Context, home, token string) error {
	s, err := Load(home)
	if err != nil {
		return err
	}
	api := patClient(s.ServerURL, token)
	_, err = api.call(ctx, requestTimeout, http.MethodDelete, fmt.Sprintf("/_apis/distributedtask/pools/%d/agents/%d", s.PoolID, s.AgentID), nil, nil)
	if err != nil && !isStatus(err, http.StatusNotFound) {
		return explain(err, s.ServerURL)
	}
	return errors.Join(os.Remove(filepath.Join(home, credentialsFile)), os.Remove(filepath.Join(home, settingsFile)))
}

func osDescription() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "Linux"
	}
	return "Linux " + strings.TrimSpace(string(text))
}

// capabilities are what jobs can demand.
func capabilities(name, home string) map[string]string {
	host, _ := os.Hostname()
	c := map[string]string{
		"Agent.Name": name, "Agent.Version": Version(), "Agent.OS": "Linux", "Agent.OSArchitecture": architecture(),
		"Agent.ComputerName": host, "Agent.HomeDirectory": home,
	}
	for _, program := range []string{"bash", "sh", "git", "python3", "curl", "make", "docker"} {
		if path, err := exec.LookPath(program); err == nil {
			c[program] = path
		}
	}
	return c
}

func architecture() string {
	switch runtime.GOARCH {
	case "amd64":
		return "X64"
	case "arm64":
		return "ARM64"
	}
	return strings.ToUpper(runtime.GOARCH)
}
