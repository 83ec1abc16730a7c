package backup_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/backup"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/cloud/postgrestest"
	"github.com/cloister-ml/cloister/internal/devops"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/mlflow"
)

var group = arm.GroupID(cloudtest.Subscription, "rg")

// made is a cloud with a document, an MLflow run and an agent pool, in a folder as
// a daemon has it.
func made(t *testing.T, address string) (dir, run string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "made")
	c := cloudtest.Open(t, cloud.Options{Dir: filepath.Join(dir, "cloud"), Store: address})
	for _, r := range []arm.Resource{{ID: group, Location: "westeurope"}, {ID: group + "/providers/A.B/c/one", Properties: arm.Object{"n": 1.0}}} {
		if _, err := c.Client().Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	run = withTracking(t, c.Dir("mlflow"), "POST", "runs/create", `{"experiment_id": "0", "run_name": "first"}`)
	s := openDevOps(t, dir)
	if _, err := s.CreatePool(t.Context(), "trainers"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Dir("storage"), "large"), bytes.Repeat([]byte("0123456789abcdef"), 1<<17), 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(c.Dir("storage"), "open") // as code is that an unprivileged process runs
	if err := errors.Join(os.Mkdir(open, 0o755), os.WriteFile(filepath.Join(open, "run.sh"), nil, 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir, run
}

func openDevOps(t *testing.T, dir string) *devops.Server {
	t.Helper()
	s, err := devops.Open(devops.Options{Dir: filepath.Join(dir, "devops"), Organization: "contoso"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// withTracking calls an MLflow store and returns the answer's run id.
func withTracking(t *testing.T, dir, method, path, body string) string {
	t.Helper()
	s, err := mlflow.Open(filepath.Join(dir, "w.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(method, "/api/2.0/mlflow/"+path, strings.NewReader(body)))
	var out struct {
		Run struct {
			Info struct {
				ID   string `json:"run_id"`
				Name string `json:"run_name"`
			} `json:"info"`
		} `json:"run"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK || out.Run.Info.Name != "first" {
		t.Fatalf("%s answers %d %s %v", path, w.Code, w.Body, err)
	}
	return out.Run.Info.ID
}

func take(t *testing.T, dir, passphrase string) []byte {
	t.Helper()
	var archive bytes.Buffer
	if _, err := backup.Write(t.Context(), dir, passphrase, &archive); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".backup-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	return archive.Bytes()
}

// A cloud that runs is backed up, and comes back: from either store, into either.
func TestRoundTrip(t *testing.T) {
	server := func(t *testing.T) string { s := postgrestest.Start(t); return s.Database(t) }
	nowhere := func(*testing.T) string { return "" }
	for _, tt := range []struct {
		name       string
		from, into func(*testing.T) string
		passphrase string
	}{
		{"SQLite", nowhere, nowhere, ""},
		{"encrypted", nowhere, nowhere, "correct horse"},
		{"PostgreSQL", server, server, ""},
		{"SQLite into PostgreSQL", nowhere, server, ""},
		{"PostgreSQL into SQLite", server, nowhere, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, run := made(t, tt.from(t))
			archive := take(t, from, tt.passphrase)
			if tt.passphrase != "" && bytes.Contains(archive, []byte("manifest")) {
				t.Error("it is not encrypted")
			}
			to, address := filepath.Join(t.TempDir(), "restored"), tt.into(t)
			if _, err := backup.Restore(t.Context(), to, address, tt.passphrase, bytes.NewReader(archive)); err != nil {
				t.Fatal(err)
			}
			back(t, to, run)
			if _, err := backup.Restore(t.Context(), to, "", tt.passphrase, bytes.NewReader(archive)); !errors.Is(err, backup.ErrNotEmpty) {
				t.Errorf("restored over a cloud: %v", err)
			}
		})
	}
}

// back checks that the cloud in dir is the one of made.
func back(t *testing.T, dir, run string) {
	t.Helper()
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info, err)
	}
	c, err := cloud.Open(t.Context(), cloud.Options{Dir: filepath.Join(dir, "cloud")}) // it knows where its documents are
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if r, ok := c.Get(group + "/providers/A.B/c/one"); !ok || r.Properties["n"] != 1.0 || c.Tenant() != cloudtest.Tenant {
		t.Errorf("the document is %+v, the tenant %s", r, c.Tenant())
	}
	if log, err := c.Activity(t.Context(), group, 10); err != nil || len(log) < 2 {
		t.Errorf("the activity log: %v, %v", log, err)
	}
	if _, first := c.FirstStart(); first {
		t.Error("the owner is a new one")
	}
	if got := withTracking(t, c.Dir("mlflow"), "GET", "runs/get?run_id="+run, ""); got != run {
		t.Errorf("the run is %q, want %q", got, run)
	}
	s := openDevOps(t, dir)
	if pools := request(t, s, "/contoso/_apis/distributedtask/pools"); !strings.Contains(pools, `"trainers"`) {
		t.Errorf("the pools are %s", pools)
	}
	for _, name := range []string{"open", "open/run.sh"} {
		if info, err := os.Stat(filepath.Join(c.Dir("storage"), name)); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s has the mode %v, %v", name, info, err)
		}
	}
	if data, err := os.ReadFile(filepath.Join(c.Dir("storage"), "large")); err != nil || len(data) != 2<<20 {
		t.Errorf("the large file has %d bytes, %v", len(data), err)
	}
}

func request(t *testing.T, s *devops.Server, path string) string {
	t.Helper()
	token, err := s.CreateToken(t.Context(), "test", devops.ScopeAdmin)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", path, nil)
	r.SetBasicAuth("", token)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Body.String()
}

// A backup is of one instant: of what is written first into one database and then
// into another, no archive has the second without the first.
func TestBackupsUnderLoadAreOfOneInstant(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	c := cloudtest.Open(t, cloud.Options{Dir: filepath.Join(dir, "cloud")})
	s := openDevOps(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ctx.Err() == nil; n++ {
			_, err := s.CreatePool(context.Background(), fmt.Sprintf("pool-%d", n))
			if err == nil {
				_, err = c.Client().Put(context.Background(), arm.Resource{ID: arm.GroupID(cloudtest.Subscription, fmt.Sprint("rg", n)), Location: "westeurope"})
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for round := range 4 {
		time.Sleep(100 * time.Millisecond)
		archive := take(t, dir, "")
		to := filepath.Join(t.TempDir(), "restored")
		if _, err := backup.Restore(t.Context(), to, "", "", bytes.NewReader(archive)); err != nil {
			t.Fatal(err)
		}
		pools := strings.Count(request(t, openDevOps(t, to), "/contoso/_apis/distributedtask/pools"), `"pool-`)
		copied, err := cloud.Open(t.Context(), cloud.Options{Dir: filepath.Join(to, "cloud")})
		if err != nil {
			t.Fatal(err)
		}
		groups := copied.Estate().Len()
		if pools != groups && pools != groups+1 || round == 3 && groups == 0 {
			t.Errorf("%d pools and %d groups", pools, groups)
		}
		if err := copied.Close(); err != nil {
			t.Error(err)
		}
	}
	stop()
	<-done
}

// entry is a file of an archive that a test makes.
type entry struct {
	name, data string
	kind       byte
	link       string
}

// forge makes an archive of entries, with a manifest of files.
func forge(t *testing.T, files []backup.File, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	head, err := json.Marshal(backup.Manifest{Format: 1, Files: files})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range append([]entry{{name: "manifest.json", data: string(head), kind: tar.TypeReg}}, entries...) {
		if err := w.WriteHeader(&tar.Header{Name: e.name, Size: int64(len(e.data)), Typeflag: e.kind, Linkname: e.link, Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func described(name, data string) backup.File {
	sum := sha256.Sum256([]byte(data))
	return backup.File{Path: name, Size: int64(len(data)), Mode: 0o600, SHA256: hex.EncodeToString(sum[:])}
}

func TestArchivesThatAreRefused(t *testing.T) {
	dir, _ := made(t, "")
	good, sealed := take(t, dir, ""), take(t, dir, "right")
	db := described("cloud/cloud.db", "d")
	dbEntry := entry{name: "cloud/cloud.db", data: "d", kind: tar.TypeReg}
	file := func(name string) entry { return entry{name: name, data: "x", kind: tar.TypeReg} }
	bomb := described("cloud/keys/x", "x")
	bomb.Size = 1 << 60
	for _, tt := range []struct {
		name, passphrase string
		archive          []byte
		says             string
	}{
		{"nothing", "", nil, "no backup"},
		{"something else", "", []byte("PK\x03\x04 what is this"), "no backup"},
		{"cut short", "", good[:len(good)/2], ""},
		{"a flipped bit", "", flipped(good), ""},
		{"another passphrase", "wrong", sealed, "passphrase"},
		{"no passphrase", "", sealed, "passphrase"},
		{"a flipped bit of an encrypted one", "right", flipped(sealed), ""},
		{"a path that leads out", "", forge(t, []backup.File{db, described("cloud/../../x", "x")}, dbEntry, file("cloud/../../x")), "no file of a cloud"},
		{"an absolute path", "", forge(t, []backup.File{db, described("/etc/x", "x")}, dbEntry, file("/etc/x")), "no file of a cloud"},
		{"another place", "", forge(t, []backup.File{db, described("daemon.json", "x")}, dbEntry, file("daemon.json")), "no file of a cloud"},
		{"the address of a database", "", forge(t, []backup.File{db, described("cloud/store", "x")}, dbEntry, file("cloud/store")), "no file of a cloud"},
		{"a symbolic link", "", forge(t, []backup.File{db, described("cloud/keys", "")}, dbEntry, entry{name: "cloud/keys", kind: tar.TypeSymlink, link: "/etc"}), "where the manifest has"},
		{"a file that the manifest does not have", "", forge(t, []backup.File{db}, dbEntry, file("cloud/keys/x")), "more than its manifest"},
		{"a file that is missing", "", forge(t, []backup.File{db, described("cloud/keys/x", "x")}, dbEntry), "ends before"},
		{"another checksum", "", forge(t, []backup.File{described("cloud/cloud.db", "e")}, dbEntry), "damaged"},
		{"another size", "", forge(t, []backup.File{described("cloud/cloud.db", "longer")}, dbEntry), "where the manifest has"},
		{"a file twice", "", forge(t, []backup.File{db, db}, dbEntry, dbEntry), "twice"},
		{"a file below a file", "", forge(t, []backup.File{db, described("cloud/cloud.db/x", "x")}, dbEntry, file("cloud/cloud.db/x")), ""},
		{"more than there is room for", "", forge(t, []backup.File{db, bomb}, dbEntry), "more room"},
		{"no documents", "", forge(t, []backup.File{described("cloud/keys/x", "x")}, file("cloud/keys/x")), "no documents"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parent := t.TempDir()
			_, err := backup.Restore(t.Context(), filepath.Join(parent, "to"), "", tt.passphrase, bytes.NewReader(tt.archive))
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("it says %v, want %q", err, tt.says)
			}
			if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
				t.Errorf("it left %v, %v", left, err)
			}
		})
	}
}

func flipped(data []byte) []byte {
	out := bytes.Clone(data)
	out[len(out)*2/3] ^= 0x10
	return out
}
