package daemon

import (
	"bytes"
	"context"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/provider/compute"
	"github.com/cloister-ml/cloister/internal/sandbox"
)

// maxOutput is how much of what a script has written is read.
const maxOutput = 16 << 10

// runScript takes the script from its input, so that it is on no command line,
// and leaves no copy of it, since it may hold secrets. What the script writes stays,
// for root alone, as Azure's extension keeps it; the end of it is said as that says it.
const runScript = `set -e
umask 077
dir=` + compute.ScriptOutput + `
mkdir -p "$dir"
cat >"$dir/script.sh"
chmod 700 "$dir/script.sh"
cd "$dir"
set +e
case $(head -c 2 script.sh) in '#!') set -- ./script.sh ;; *) set -- /bin/sh ./script.sh ;; esac
"$@" </dev/null >stdout 2>stderr
status=$?
rm -f script.sh
for name in stdout stderr; do
  echo "[$name]"
  tail -c 4096 "$name" | tail -n 20
done
exit $status`

// Script implements compute.Machines.
func (m *machines) Script(ctx context.Context, vm arm.ID, script []byte) (int, string, error) {
	var out tail
	status, err := m.d.boxes.Exec(ctx, m.d.boxName(vm), sandbox.Exec{
		Args: []string{"/bin/sh", "-c", runScript}, Stdin: bytes.NewReader(script), Stdout: &out, Stderr: &out,
	})
	return status, strings.TrimSpace(string(out.data)), err
}

// tail keeps the end of what is written to it.
type tail struct{ data []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if len(t.data) > maxOutput {
		t.data = t.data[len(t.data)-maxOutput:]
	}
	return len(p), nil
}
