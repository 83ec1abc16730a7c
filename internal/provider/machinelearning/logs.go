package machinelearning

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"

	"github.com/cloister-ml/cloister/internal/provider/machinelearning/datastore"
	"github.com/cloister-ml/cloister/internal/provider/machinelearning/schedule"
)

// maxLog bounds the log of one attempt; what is beyond is counted and not kept.
const maxLog = 64 << 20

// Names under which clients find the logs.
const (
	buildLog     = "azureml-logs/20_image_build_log.txt"
	executionLog = "logs/azureml/executionlogs.txt"
)

// stdLog is the name of an attempt's log.
func stdLog(attempt int) string {
	if attempt <= 1 {
		return "user_logs/std_log.txt"
	}
	return fmt.Sprintf("user_logs/retry_%03d/std_log.txt", attempt-1)
}

var logName = regexp.MustCompile(`^(user_logs/(retry_[0-9]{3}/)?std_log\.txt|azureml-logs/20_image_build_log\.txt)$`)

// logBlob is where a copy of a job's log is kept.
func (s *Service) logBlob(w workspace, run string) datastore.Blob {
	return datastore.Blob{Account: w.Account, Container: artifactContainer, Path: "ExperimentRun/dcid." + run + "/user_logs/std_log.txt"}
}

func (s *Service) logFile(w workspace, run, name string) string {
	return filepath.Join(s.dir, "logs", w.GUID, run, filepath.FromSlash(name))
}

var errOffset = errors.New("the piece of log does not follow what is kept")

// appendLog adds a piece of log at offset. What is kept already is not kept
// twice, so a node may send a piece again. It gives how much is kept now.
func (s *Service) appendLog(path string, offset int64, piece []byte) (int64, error) {
	s.logMu.Lock()
	defer s.logMu.Unlock()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return 0, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	if offset > size && size < maxLog {
		return size, errOffset // something is missing between: the node starts from size
	}
	if offset+int64(len(piece)) <= size || size >= maxLog {
		return max(size, offset+int64(len(piece))), nil
	}
	piece = piece[size-offset:]
	if room := maxLog - size; int64(len(piece)) > room {
		cut := append(piece[:room:room], "\n[the log is longer and is not kept]\n"...)
		_, err := f.Write(cut)
		return size + int64(len(piece)), err
	}
	_, err = f.Write(piece)
	return size + int64(len(piece)), err
}

// logsOf names the logs that a job has.
func (s *Service) logsOf(w workspace, j schedule.Job) ([]string, error) {
	if j.Kind == schedule.Pipeline {
		return []string{executionLog}, nil
	}
	root := s.logFile(w, j.Name, "")
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if rel = filepath.ToSlash(rel); err == nil && logName.MatchString(rel) {
			out = append(out, rel)
		}
		return err
	})
	sort.Strings(out)
	return out, err
}

// executionLines is a pipeline's log: what happened to its steps.
func executionLines(events []schedule.Event, steps map[string]string) string {
	var b strings.Builder
	for _, e := range events {
		if e.State == schedule.NotStarted {
			continue
		}
		name, ok := steps[e.Job]
		if !ok {
			name = "pipeline"
		}
		fmt.Fprintf(&b, "[%s] %s: %s", e.Time.Format("2006-01-02 15:04:05Z"), name, e.State)
		if e.Message != "" {
			fmt.Fprintf(&b, " (%s)", strings.ReplaceAll(e.Message, "\n", " "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// buildLogWriter writes a job's image build log.
type buildLogWriter struct {
	s      *Service
	path   string
	mu     sync.Mutex
	offset int64
}

func (b *buildLogWriter) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.s.appendLog(b.path, b.offset, p)
	b.offset = n
	return len(p), err
}
