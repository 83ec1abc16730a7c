package machine

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// logFile is a service's output: a file that is set aside when it is full, with as
// many older ones as are kept.
type logFile struct {
	path string
	max  int64
	keep int

	mu   sync.Mutex
	file *os.File
	size int64
}

const (
	logSize = 10 << 20
	logKeep = 3
)

// NewLog is a file that is set aside when it holds max bytes, with keep older ones.
func NewLog(path string, max int64, keep int) io.WriteCloser {
	return &logFile{path: path, max: max, keep: keep}
}

// Close closes the file; a later Write opens it again.
func (l *logFile) Close() error {
	l.close()
	return nil
}

// Write appends. What cannot be written is dropped: a full disk must not stop a
// service.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil && l.size+int64(len(p)) > l.max {
		l.rotate()
	}
	if l.file == nil && !l.open() {
		return len(p), nil
	}
	n, _ := l.file.Write(p)
	l.size += int64(n)
	return len(p), nil
}

func (l *logFile) open() bool {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return false
	}
	l.file, l.size = f, info.Size()
	return true
}

// rotate makes name.log.1 of name.log, name.log.2 of name.log.1 and so on.
func (l *logFile) rotate() {
	l.file.Close()
	l.file = nil
	for i := l.keep - 1; i > 0; i-- {
		_ = os.Rename(fmt.Sprintf("%s.%d", l.path, i), fmt.Sprintf("%s.%d", l.path, i+1)) // there may be none yet
	}
	if os.Rename(l.path, l.path+".1") != nil {
		_ = os.Truncate(l.path, 0)
	}
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}
