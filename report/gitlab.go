package report

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path/filepath"

	"github.com/cloister-ml/cloister/check"
)

type codeQuality struct {
	Description string `json:"description"`
	CheckName   string `json:"check_name"`
	Fingerprint string `json:"fingerprint"`
	Severity    string `json:"severity"`
	Location    struct {
		Path  string `json:"path"`
		Lines struct {
			Begin int `json:"begin"`
		} `json:"lines"`
	} `json:"location"`
}

// CodeQuality writes what falls as a GitLab code quality report. A finding that no
// file declares has no place in one, and is left out; the other formats have it.
//
// Source: GitLab Docs, "Code Quality", section "Code Quality report format".
func CodeQuality(w io.Writer, r *check.Report, o Options) error {
	out := []codeQuality{}
	for _, q := range r.With(check.Violated) {
		if q.Source.File == "" {
			continue
		}
		c := codeQuality{
			Description: printable(q.Title + ": " + q.Reason), CheckName: q.Rule,
			Fingerprint: fingerprint(q), Severity: gitlabSeverity(q.Severity),
		}
		c.Location.Path = filepath.ToSlash(o.file(q.Source))
		c.Location.Lines.Begin = max(q.Source.Line, 1)
		out = append(out, c)
	}
	return encode(w, out)
}

// fingerprint stays the same while lines move: it follows from the requirement.
func fingerprint(q check.Requirement) string {
	sum := sha256.Sum256([]byte(q.ID))
	return hex.EncodeToString(sum[:16])
}

func gitlabSeverity(s check.Severity) string {
	switch s {
	case check.Critical:
		return "blocker"
	case check.High:
		return "critical"
	case check.Medium:
		return "major"
	}
	return "minor"
}
