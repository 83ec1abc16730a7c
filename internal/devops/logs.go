package devops

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/wire"
)

const maxLog = 64 << 20

// postLog begins a log of the job's run.
func (s *Server) postLog(r *http.Request, p principal) (any, error) {
	in, err := body[wire.Log](r)
	if err != nil {
		return nil, err
	}
	if len(in.Path) > 255 {
		return nil, badRequest("the path of a log has at most 255 characters")
	}
	in.CreatedOn, in.LineCount = time.Now().UTC(), 0
	err = s.update(r.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`INSERT INTO log (run_id, id, job_id, path, lines, size, created)
			SELECT ?, coalesce(max(id), 0) + 1, ?, ?, 0, 0, ? FROM log WHERE run_id = ? RETURNING id`,
			p.run, p.job, in.Path, millis(in.CreatedOn), p.run).Scan(&in.ID)
	})
	return in, err
}

// appendLog adds lines to a log of the job. startLine, where given, is how many
// lines were sent before: what arrives twice is kept once.
func (s *Server) appendLog(r *http.Request, p principal) (any, error) {
	id, err := number(r, "log")
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	out := wire.Log{ID: id}
	err = s.update(r.Context(), func(tx *sql.Tx) error {
		var have, size int
		err := tx.QueryRow(`SELECT lines, size FROM log WHERE run_id = ? AND id = ? AND job_id = ?`, p.run, id, p.job).Scan(&have, &size)
		if err != nil {
			return orNotFound(err, "the job has no log %d", id)
		}
		lines := splitLines(string(raw))
		if start, err := strconv.Atoi(r.URL.Query().Get("startLine")); err == nil && start < have {
			lines = lines[min(have-start, len(lines)):]
		}
		out.LineCount = have + len(lines)
		if len(lines) == 0 {
			return nil
		}
		text := strings.Join(lines, "\n") + "\n"
		if size+len(text) > maxLog {
			return problem(http.StatusRequestEntityTooLarge, "LogTooLargeException", "a log has at most %d bytes", maxLog)
		}
		if _, err := tx.Exec(`INSERT INTO log_chunk (run_id, log_id, first, lines, text) VALUES (?, ?, ?, ?, ?)`, p.run, id, have, len(lines), text); err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE log SET lines = ?, size = ? WHERE run_id = ? AND id = ?`, out.LineCount, size+len(text), p.run, id)
		return err
	})
	s.changed.broadcast()
	return out, err
}

func splitLines(text string) []string {
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// Log is a log's lines from startLine (from 0) on.
func (s *Server) Log(_ context.Context, runID, logID, startLine int) ([]string, error) {
	type chunk struct {
		first int
		text  string
	}
	chunks, err := collect(s.db, func(r scanner) (chunk, error) {
		var c chunk
		return c, r.Scan(&c.first, &c.text)
	}, `SELECT first, text FROM log_chunk WHERE run_id = ? AND log_id = ? AND first + lines > ? ORDER BY first`, runID, logID, startLine)
	lines := []string{}
	for _, c := range chunks {
		of := splitLines(c.text)
		lines = append(lines, of[min(max(0, startLine-c.first), len(of)):]...)
	}
	return lines, err
}

func (s *Server) getLogs(r *http.Request, _ principal) (any, error) {
	b, err := s.runInPath(r)
	if err != nil {
		return nil, err
	}
	project := r.PathValue("project")
	logs, err := collect(s.db, func(row scanner) (wire.Log, error) {
		var l wire.Log
		var created int64
		err := row.Scan(&l.ID, &l.Path, &l.LineCount, &created)
		l.CreatedOn = fromMillis(created)
		l.URL = s.url("/%s/_apis/build/builds/%d/logs/%d", project, b.ID, l.ID)
		return l, err
	}, `SELECT id, path, lines, created FROM log WHERE run_id = ? ORDER BY id`, b.ID)
	return wire.Items(logs), err
}

// serveLog writes a log as text, or as JSON to those who ask for it.
func (s *Server) serveLog(w http.ResponseWriter, r *http.Request) {
	_, err := s.admit(r, roleAdmin)
	var lines []string
	if err == nil {
		lines, err = s.logInPath(r)
	}
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		writeJSON(w, http.StatusOK, wire.Items(lines))
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}

func (s *Server) logInPath(r *http.Request) ([]string, error) {
	b, err := s.runInPath(r)
	if err != nil {
		return nil, err
	}
	id, err := number(r, "log")
	if err != nil {
		return nil, err
	}
	start, _ := strconv.Atoi(r.URL.Query().Get("startLine"))
	lines, err := s.Log(r.Context(), b.ID, id, max(0, start))
	if end, bad := strconv.Atoi(r.URL.Query().Get("endLine")); bad == nil && end >= start && end-start < len(lines) {
		lines = lines[:end-start]
	}
	return lines, err
}
