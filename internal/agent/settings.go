package agent

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/cloister-ml/cloister/internal/durable"
)

// Settings are what a configured agent knows: the file .agent of its home.
type Settings struct {
	ServerURL  string `json:"serverUrl"` // of the organisation
	PoolID     int    `json:"poolId"`
	PoolName   string `json:"poolName"`
	AgentID    int    `json:"agentId"`
	AgentName  string `json:"agentName"`
	WorkFolder string `json:"workFolder"`
}

// credentials are how it gets its tokens: the file .credentials, which only its
// owner can read.
type credentials struct {
	ClientID         string `json:"clientId"`
	AuthorizationURL string `json:"authorizationUrl"`
	PrivateKey       string `json:"privateKey"` // PKCS #8, PEM
}

const (
	settingsFile    = ".agent"
	credentialsFile = ".credentials"
)

// ErrNotConfigured says that a home holds no agent.
var ErrNotConfigured = errors.New("there is no agent configured here; run `cloister agent configure` first")

// Load reads the settings of the agent in a home.
func Load(home string) (Settings, error) {
	var s Settings
	return s, readJSON(filepath.Join(home, settingsFile), &s)
}

func loadCredentials(home string) (credentials, *rsa.PrivateKey, error) {
	var c credentials
	if err := readJSON(filepath.Join(home, credentialsFile), &c); err != nil {
		return c, nil, err
	}
	block, _ := pem.Decode([]byte(c.PrivateKey))
	if block == nil {
		return c, nil, fmt.Errorf("%s holds no key", filepath.Join(home, credentialsFile))
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return c, nil, fmt.Errorf("%s: %w", filepath.Join(home, credentialsFile), err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return c, nil, fmt.Errorf("%s holds a key that is not RSA", filepath.Join(home, credentialsFile))
	}
	return c, key, nil
}

func encodeKey(key *rsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotConfigured
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// writeJSON replaces a file, which only its owner can read, at once: after a kill
// it is the old one or the new one.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(path, append(text, '\n'))
}

// Version is the version of the executable, and so of the agent.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "0.0.0-dev"
	}
	return info.Main.Version
}
