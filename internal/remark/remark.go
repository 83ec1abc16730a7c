package remark

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
)

const (
	marker  = "cloister:ignore"
	maxFile = 1 << 20 // bytes that are read of one file
)

// Read reads the remarks of the files in which an estate's documents are declared.
// Files that are not Terraform, and those that say nothing, are passed over.
func Read(e *arm.Estate) (map[check.At]check.Remark, error) {
	out := map[check.At]check.Remark{}
	seen := map[string]bool{}
	var errs []error
	for _, doc := range e.All() {
		name := doc.Source.File
		if !strings.HasSuffix(name, ".tf") || seen[name] {
			continue
		}
		seen[name] = true
		info, err := os.Stat(name)
		if err != nil || info.Size() > maxFile {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if err := Parse(src, name, out); err != nil {
			errs = append(errs, err)
		}
	}
	return out, errors.Join(errs...)
}

// Parse adds the remarks of one file. What is wrong with a comment is an error with
// file and line.
func Parse(src []byte, name string, into map[check.At]check.Remark) error {
	if !bytes.Contains(src, []byte(marker)) && !bytes.Contains(src, []byte("ignore_changes")) {
		return nil
	}
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	body, ok := f.Body.(*hclsyntax.Body)
	if diags.HasErrors() || !ok {
		return nil // the reader says what is wrong with it
	}
	comments, err := commentsOf(src, name)
	for _, b := range body.Blocks {
		if b.Type != "resource" && b.Type != "module" {
			continue
		}
		var r check.Remark
		r.Ignored = ignored(b.Body)
		for i := range comments {
			if comments[i].of(b, comments) {
				comments[i].used = true
				r.Suppressed = append(r.Suppressed, comments[i].suppression)
			}
		}
		if len(r.Ignored)+len(r.Suppressed) > 0 {
			into[check.At{File: name, Line: b.TypeRange.Start.Line}] = r
		}
	}
	errs := []error{err}
	for _, c := range comments {
		if !c.used && c.suppression.Rule != "" {
			errs = append(errs, fmt.Errorf("%s:%d: %s stands beside no resource; write it directly above one, or in it", name, c.line, marker))
		}
	}
	return errors.Join(errs...)
}

// comment is a line of a comment; those without the marker count as lines between
// it and the block.
type comment struct {
	line        int
	suppression check.Suppression
	used        bool
}

func commentsOf(src []byte, name string) ([]comment, error) {
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	var out []comment
	var errs []error
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenComment {
			continue
		}
		c := comment{line: t.Range.Start.Line}
		text := strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(string(t.Bytes)), "#/* "))
		if rest, ok := strings.CutPrefix(text, marker); ok {
			rule, reason, _ := strings.Cut(strings.TrimSpace(strings.TrimSuffix(rest, "*/")), " ")
			reason = strings.TrimSpace(reason)
			switch {
			case rule == "":
				errs = append(errs, fmt.Errorf("%s:%d: %s names no rule; write %s RULE reason", name, c.line, marker, marker))
			case reason == "":
				errs = append(errs, fmt.Errorf("%s:%d: %s %s gives no reason; say why", name, c.line, marker, rule))
			default:
				c.suppression = check.Suppression{Rule: rule, Reason: reason, At: check.At{File: name, Line: c.line}}
			}
			if _, known := check.RuleByID(strings.SplitN(rule, ":", 2)[0]); rule != "" && !known {
				errs = append(errs, fmt.Errorf("%s:%d: there is no rule %s; cloister explain lists them", name, c.line, rule))
				c.suppression = check.Suppression{}
			}
		}
		out = append(out, c)
	}
	return out, errors.Join(errs...)
}

// of reports whether a comment is of a block: in it, or in the run of comment lines
// that ends directly above it.
func (c comment) of(b *hclsyntax.Block, all []comment) bool {
	if c.suppression.Rule == "" {
		return false
	}
	start, end := b.TypeRange.Start.Line, b.CloseBraceRange.End.Line
	if c.line >= start && c.line <= end {
		return true
	}
	lines := map[int]bool{}
	for _, other := range all {
		lines[other.line] = true
	}
	for line := start - 1; lines[line]; line-- {
		if line == c.line {
			return true
		}
	}
	return false
}

// ignored are the attributes that a block's lifecycle leaves to others.
func ignored(body *hclsyntax.Body) []string {
	var out []string
	for _, b := range body.Blocks {
		a := b.Body.Attributes["ignore_changes"]
		if b.Type != "lifecycle" || a == nil {
			continue
		}
		if hcl.ExprAsKeyword(a.Expr) == "all" {
			return []string{"all"}
		}
		list, diags := hcl.ExprList(a.Expr)
		if diags.HasErrors() {
			continue
		}
		for _, e := range list {
			if t, diags := hcl.AbsTraversalForExpr(e); !diags.HasErrors() {
				out = append(out, t.RootName())
			}
		}
	}
	return out
}
