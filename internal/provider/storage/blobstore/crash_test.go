package blobstore_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/provider/storage/blobstore"
)

const crashDir = "BLOBSTORE_CRASH_TEST_DIR"

// crashBody is what the child writes as its n-th blob: small and large in turn.
func crashBody(n int) []byte {
	sum := sha256.Sum256([]byte(fmt.Sprint(n)))
	return bytes.Repeat(sum[:], 1+(n%5)*1500)
}

// TestCrashChild is the child of TestAcknowledgedSurvivesKill: it writes blobs,
// each new one over one of twenty names, and says a number once it is acknowledged.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("runs only as a child of TestAcknowledgedSurvivesKill")
	}
	s, err := blobstore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		c, err := s.Receive(ctx, bytes.NewReader(crashBody(n)), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.PutBlob(ctx, box, blobstore.Blob{Name: fmt.Sprint(n % 20), Metadata: map[string]string{"n": fmt.Sprint(n)}}, c, always); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("ack %d\n", n)
	}
}

func TestAcknowledgedSurvivesKill(t *testing.T) {
	for round := range 3 {
		dir := t.TempDir()
		s := open(t, dir)
		if _, err := s.CreateContainer(ctx, blobstore.Container{Name: box}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		acked := killInTheMiddle(t, dir, 30+round*37)
		s = open(t, dir)
		for n := max(0, acked-19); n <= acked; n++ {
			checkSurvivor(t, s, n)
		}
		if err := s.DeleteContainer(ctx, box, func(blobstore.Container) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := open(t, dir).Close(); err != nil {
			t.Fatal(err)
		}
		if files, _ := filepath.Glob(filepath.Join(dir, "data", "*", "*")); len(files) > 0 {
			t.Errorf("files that nothing names are left: %v", files)
		}
	}
}

// killInTheMiddle runs the child, kills it after some acknowledgements, and
// returns the last number that it said.
func killInTheMiddle(t *testing.T, dir string, after int) int {
	child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$", "-test.timeout=60s")
	child.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acked := -1
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, err := fmt.Sscanf(lines.Text(), "ack %d", &acked); err == nil && acked == after {
			time.AfterFunc(time.Duration(after)*37*time.Microsecond, func() { _ = child.Process.Kill() })
		}
	}
	_ = child.Wait() // it was killed
	if acked < after {
		t.Fatalf("the child acknowledged only %d blobs", acked+1)
	}
	return acked
}

// checkSurvivor expects at n's name the blob n, or a later one that was written
// without its acknowledgement having been read.
func checkSurvivor(t *testing.T, s *blobstore.Store, n int) {
	b, r, err := s.Open(ctx, box, fmt.Sprint(n%20))
	if err != nil {
		t.Errorf("blob %d: %v", n, err)
		return
	}
	defer r.Close()
	var got bytes.Buffer
	if err := r.WriteRange(ctx, &got, 0, b.Size); err != nil {
		t.Errorf("blob %d: %v", n, err)
		return
	}
	var is int
	if _, err := fmt.Sscan(b.Metadata["n"], &is); err != nil || is < n || is%20 != n%20 {
		t.Errorf("at the name of blob %d is %q", n, b.Metadata["n"])
	}
	if !bytes.Equal(got.Bytes(), crashBody(is)) {
		t.Errorf("blob %d came back changed", is)
	}
}
