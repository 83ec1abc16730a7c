package report

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/cloister-ml/cloister/check"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitMessage `xml:"failure"`
	Skipped *junitMessage `xml:"skipped"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes a report as test results: a suite a rule, a case a requirement.
// What is unknown or switched off is skipped. It has no attribute or element that
// the schema of Jenkins' xUnit plugin (junit-10.xsd) has not, so where a case is
// declared is told in its text.
func JUnit(w io.Writer, r *check.Report, o Options) error {
	all := junitSuites{Name: "cloister check"}
	for _, rule := range check.Rules() {
		s := junitSuite{Name: rule.Title}
		for _, q := range r.Requirements {
			if q.Rule == rule.ID {
				s.add(q, o)
			}
		}
		if s.Tests == 0 {
			continue
		}
		all.Tests, all.Failures = all.Tests+s.Tests, all.Failures+s.Failures
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(q check.Requirement, o Options) {
	c := junitCase{Class: q.Rule, Name: printable(q.Title)}
	text := strings.TrimSpace(printable(q.Reason) + "\n" + printable(strings.TrimSpace(o.at(q.Source))))
	if q.Remedy != "" {
		text += "\nTo mend it: " + printable(q.Remedy)
	}
	switch q.Outcome {
	case check.Violated:
		c.Failure = &junitMessage{Message: printable(q.Reason), Type: string(q.Severity), Text: text}
		s.Failures++
	case check.Unknown:
		c.Skipped = &junitMessage{Message: "unknown: " + printable(q.Reason)}
		s.Skipped++
	case check.Off:
		c.Skipped = &junitMessage{Message: "switched off: " + printable(q.Reason)}
		s.Skipped++
	}
	s.Tests++
	s.Cases = append(s.Cases, c)
}
