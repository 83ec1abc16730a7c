package eval

import (
	"errors"
	"fmt"

	"github.com/cloister-ml/cloister/source/template/internal/jsontext"
)

// Error is what is wrong with a template, and where.
type Error struct {
	File    string
	Pos     jsontext.Pos
	Summary string
	Detail  string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", e.File, e.Pos.Line, e.Pos.Column, e.Summary, e.Detail)
}

// Fail is an error at a place of the scope's file.
func (s *Scope) Fail(at jsontext.Pos, summary, detail string, args ...any) error {
	return &Error{s.file, at, summary, fmt.Sprintf(detail, args...)}
}

// placed gives an error a place, where it has none.
func (s *Scope) placed(at jsontext.Pos, summary string, err error) error {
	var have *Error
	if err == nil || errors.As(err, &have) {
		return err
	}
	return s.Fail(at, summary, "%s.", err)
}
