package machinelearning_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/internal/sandbox"
)

func TestCommandsRunInASandbox(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("sandboxes need root")
	}
	if _, err := exec.LookPath("runc"); err != nil {
		t.Skip("runc is not installed")
	}
	boxes, err := sandbox.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := boxes.RemoveAll(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w := newWorld(t)
	w.nodes.boxes = boxes
	c := w.client()
	name := mustSubmit(t, c, command(`id -u
pwd
cat ${{inputs.data}}/d/x.txt
echo changed > ${{inputs.data}}/d/x.txt || echo "inputs are read only"
echo code > ./note && echo "the code folder can be written to"
echo out > ${{outputs.out}}/o && mkdir ${{outputs.out}}/sub && echo deep > ${{outputs.out}}/sub/p
cat /etc/resolv.conf
test -s $SSL_CERT_FILE && echo "certificates are there"
python3 --version > /dev/null && echo "$FROM_IMAGE $AZUREML_ARM_WORKSPACE_NAME $(hostname)"
ls /sys/class/net`)+"code: src\ninputs: {data: {type: uri_folder, path: data}}\noutputs: {out: }\n",
		map[string]string{"src/a.py": "x", "data/d/x.txt": "hello\n"})
	end, told := follow(t, c, name)
	if end.Status != "Completed" {
		t.Fatalf("it is %s: %s\n%s", end.Status, end.Failure.Error.Message, told)
	}
	for _, want := range []string{
		"1000", "/mnt/azureml/code", "hello", "inputs are read only", "the code folder can be written to", "nameserver 168.63.129.16", "certificates are there", "yes mlw cpu-cluster-0",
	} {
		if !slices.Contains(told.lines, " | "+want) {
			t.Errorf("not told: %q\n%s", want, told)
		}
	}
	if got := readOutput(t, w, c, name, "out", "sub/p"); got != "deep\n" {
		t.Errorf("the output has %q", got)
	}
	if strings.Contains(told.String(), "Permission denied") {
		t.Errorf("something was not permitted:\n%s", told)
	}

	name = mustSubmit(t, c, command("sleep 100 & sleep 100"), nil)
	eventually(t, "it runs", func() bool { d, err := c.Job(t.Context(), name); return err == nil && d.Text("status") == "Running" })
	if err := c.CancelJob(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if end, _ := follow(t, c, name); end.Status != "Canceled" {
		t.Errorf("it is %s", end.Status)
	}
	if left, err := boxes.Names(); err != nil || len(left) > 0 {
		t.Errorf("sandboxes are left: %v (%v)", left, err)
	}
}
