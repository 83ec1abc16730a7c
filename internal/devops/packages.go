package devops

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"

	"github.com/cloister-ml/cloister/internal/agent"
)

// PackagePath is where the agent's package is, on its host.
const PackagePath = "/agent/cloister/agent-linux-x64.tar.gz"

// packageCache is the agent's package: made at the first request, kept in a file
// that has no name any more.
type packageCache struct {
	mu   sync.Mutex
	file *os.File
	info os.FileInfo // of the executable
}

// PackageHandler answers for the host of the agent's package: the executable that
// runs here, which is the agent too.
func (s *Server) PackageHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PackagePath, func(w http.ResponseWriter, r *http.Request) {
		f, info, err := s.packages.open()
		var size int64
		if err == nil {
			size, err = f.Seek(0, io.SeekEnd)
		}
		if err != nil {
			s.log.Error("devops: making the agent's package", "error", err)
			http.Error(w, "the package could not be made; see the log of the organisation", http.StatusInternalServerError)
			return
		}
		version := agent.Version()
		w.Header().Set("Content-Type", "application/gzip")
		w.Header().Set("X-Agent-Version", version)
		w.Header().Set("ETag", fmt.Sprintf("%q", fmt.Sprintf("%s-%x-%x", version, info.Size(), info.ModTime().UnixNano())))
		http.ServeContent(w, r, "", info.ModTime(), io.NewSectionReader(f, 0, size))
	})
	return mux
}

func (c *packageCache) open() (*os.File, os.FileInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file != nil {
		return c.file, c.info, nil
	}
	f, info, err := buildPackage()
	if err == nil {
		c.file, c.info = f, info
	}
	return f, info, err
}

func (c *packageCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file != nil {
		c.file.Close()
		c.file = nil
	}
}

func buildPackage() (*os.File, os.FileInfo, error) {
	in, err := os.Open("/proc/self/exe") // what runs, even when its file was replaced
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, nil, err
	}
	out, err := os.CreateTemp("", "cloister-agent-")
	if err != nil {
		return nil, nil, err
	}
	os.Remove(out.Name())
	if err := writePackage(out, in, info); err != nil {
		out.Close()
		return nil, nil, err
	}
	return out, info, nil
}

func writePackage(out io.Writer, in io.Reader, info os.FileInfo) error {
	zipped, err := gzip.NewWriterLevel(out, gzip.NoCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(zipped)
	header := &tar.Header{Name: "cloister", Mode: 0o755, Size: info.Size(), ModTime: info.ModTime(), Format: tar.FormatPAX}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	if _, err := io.Copy(archive, in); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return zipped.Close()
}
