// Package scoring holds the program that serves a model inside an instance: it
// loads the user's scoring script and answers HTTP on a Unix socket.
//
// The contract is that of Azure's inference server (azureml-inference-server-http):
// init() once, run(raw) for each POST /score, AZUREML_MODEL_DIR, and GET / for
// the probes. The program uses Python's standard library only.
package scoring

import (
	_ "embed"
	"os"
	"path/filepath"

	"github.com/cloister-ml/cloister/internal/durable"
)

//go:embed host.py
var host []byte

// Where things are inside an instance.
const (
	Root       = "/var/azureml-app"
	CodeDir    = Root + "/code"
	ModelsDir  = Root + "/azureml-models"
	HostDir    = "/opt/cloister-scoring"
	SocketName = "http.sock"
)

// Command starts the program inside; it listens on SocketName in the folder.
func Command(folder string) []string {
	return []string{"python3", "-u", HostDir + "/host.py", "--socket", folder + "/" + SocketName}
}

// WriteHost lays the program into dir, to be shown inside at HostDir.
func WriteHost(dir string) (string, error) {
	file := filepath.Join(dir, "host.py")
	if err := durable.WriteFile(file, host); err != nil {
		return "", err
	}
	// An unprivileged process inside reads both.
	if err := os.Chmod(file, 0o644); err != nil { //nolint:gosec
		return "", err
	}
	return dir, os.Chmod(dir, 0o755) //nolint:gosec
}
