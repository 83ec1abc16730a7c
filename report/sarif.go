package report

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/cloister-ml/cloister/check"
)

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	ColumnKind         string               `json:"columnKind"`
	OriginalURIBaseIDs map[string]sarifBase `json:"originalUriBaseIds,omitempty"`
	AutomationDetails  *sarifAutomation     `json:"automationDetails,omitempty"`
	Results            []sarifResult        `json:"results"`
}

type sarifBase struct {
	Description sarifText `json:"description"`
}

type sarifAutomation struct {
	ID string `json:"id"`
}

type sarifDriver struct {
	Name            string      `json:"name"`
	SemanticVersion string      `json:"semanticVersion,omitempty"`
	InformationURI  string      `json:"informationUri"`
	Rules           []sarifRule `json:"rules"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifRule struct {
	ID                   string         `json:"id"`
	Name                 string         `json:"name"`
	ShortDescription     sarifText      `json:"shortDescription"`
	FullDescription      sarifText      `json:"fullDescription"`
	Help                 sarifText      `json:"help"`
	DefaultConfiguration map[string]any `json:"defaultConfiguration"`
	Properties           map[string]any `json:"properties"`
}

type sarifResult struct {
	RuleID              string              `json:"ruleId"`
	RuleIndex           int                 `json:"ruleIndex"`
	Kind                string              `json:"kind"`
	Level               string              `json:"level"`
	Message             sarifText           `json:"message"`
	Locations           []sarifLocation     `json:"locations,omitempty"`
	PartialFingerprints map[string]string   `json:"partialFingerprints"`
	Suppressions        []map[string]string `json:"suppressions,omitempty"`
}

type sarifLocation struct {
	PhysicalLocation *sarifPhysical `json:"physicalLocation,omitempty"`
	LogicalLocations []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	ArtifactLocation struct {
		URI       string `json:"uri"`
		URIBaseID string `json:"uriBaseId,omitempty"`
	} `json:"artifactLocation"`
	Region struct {
		StartLine int `json:"startLine"`
	} `json:"region"`
}

type sarifLogical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

// sourceRoot is the base of relative paths, as code scanning resolves it: the
// root of the repository, or the folder that cloister was run in.
const sourceRoot = "%SRCROOT%"

// SARIF writes what falls and what is unknown as SARIF 2.1.0, for code scanning.
// What holds is left out, and what follows from another finding is told there;
// what is switched off is written as suppressed.
//
// Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0";
// GitHub Docs, "SARIF support for code scanning".
func SARIF(w io.Writer, r *check.Report, o Options) error {
	run := sarifRun{ColumnKind: "utf16CodeUnits", Results: []sarifResult{}, AutomationDetails: &sarifAutomation{"cloister/check/"}}
	run.OriginalURIBaseIDs = map[string]sarifBase{sourceRoot: {sarifText{Text: "The folder that cloister was run in."}}}
	run.Tool.Driver = sarifDriver{Name: "cloister", SemanticVersion: o.Version, InformationURI: "https://github.com/cloister-ml/cloister"}
	index := map[string]int{}
	for i, rule := range check.Rules() {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(rule))
	}
	for _, outcome := range []check.Outcome{check.Violated, check.Unknown, check.Off} {
		for _, g := range following(r.With(outcome)) {
			result := sarifOf(g, o)
			result.RuleIndex = index[result.RuleID]
			run.Results = append(run.Results, result)
		}
	}
	return encode(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

func sarifRuleOf(rule check.Rule) sarifRule {
	r := sarifRule{
		ID: rule.ID, Name: pascal(rule.ID), ShortDescription: sarifText{Text: rule.Title}, FullDescription: sarifText{Text: rule.Help},
		DefaultConfiguration: map[string]any{"level": level(rule.Severity)},
		Properties:           map[string]any{"security-severity": score(rule.Severity), "precision": "very-high", "tags": []string{"security", "network", "azure"}},
	}
	r.Help = sarifText{Text: rule.Help, Markdown: rule.Help}
	more := fmt.Sprintf("cloister explain %s", rule.ID)
	r.Help.Text += " See: " + more + "."
	r.Help.Markdown += "\n\nSee `" + more + "`."
	if rule.Source != "" {
		r.Help.Text += " Source: " + rule.Source + "."
		r.Help.Markdown += "\n\nSource: *" + rule.Source + "*."
	}
	return r
}

// pascal is a rule's id as SARIF likes names: peering-connected is PeeringConnected.
func pascal(id string) string {
	var b strings.Builder
	for _, word := range strings.Split(id, "-") {
		b.WriteString(capital(word))
	}
	return b.String()
}

// following puts each requirement together with those that follow from it.
func following(list []check.Requirement) [][]check.Requirement {
	at := map[string]int{}
	var out [][]check.Requirement
	for _, q := range list {
		if q.Because == "" {
			at[q.ID] = len(out)
			out = append(out, []check.Requirement{q})
		}
	}
	for _, q := range list {
		if i, ok := at[q.Because]; ok {
			out[i] = append(out[i], q)
		} else if q.Because != "" {
			out = append(out, []check.Requirement{q})
		}
	}
	return out
}

// sarifOf is the result of a requirement that does not hold, and of those that
// follow from it.
func sarifOf(g []check.Requirement, o Options) sarifResult {
	q := g[0]
	res := sarifResult{
		RuleID: q.Rule, Kind: "fail", Level: level(q.Severity),
		PartialFingerprints: map[string]string{"cloisterRequirement/v1": fingerprint(q)},
	}
	text := q.Title + " - falls: " + q.Reason + "."
	switch q.Outcome {
	case check.Unknown:
		res.Kind, res.Level = "open", "none"
		text = q.Title + " - cannot be known before deployment: " + q.Reason + "."
	case check.Off:
		text = q.Title + " - switched off."
		res.Suppressions = []map[string]string{{"kind": "external", "justification": printable(q.Reason)}}
	}
	if q.Remedy != "" {
		text += " To mend it: " + q.Remedy + "."
	}
	if len(g) > 1 {
		text += " For the same reason: " + titles(g[1:]) + "."
	}
	res.Message.Text = printable(text)
	if loc, ok := sarifWhere(q, o); ok {
		res.Locations = []sarifLocation{loc}
	}
	return res
}

func titles(list []check.Requirement) string {
	var out []string
	for _, q := range list {
		out = append(out, q.Title)
	}
	return someOf(out, mostEnds)
}

func sarifWhere(q check.Requirement, o Options) (loc sarifLocation, ok bool) {
	if q.Source.File != "" {
		p := &sarifPhysical{}
		p.ArtifactLocation.URI, p.ArtifactLocation.URIBaseID = uri(o.file(q.Source))
		p.Region.StartLine = max(q.Source.Line, 1)
		loc.PhysicalLocation, ok = p, true
	}
	if q.Resource != "" {
		loc.LogicalLocations, ok = []sarifLogical{{string(q.Resource), "resource"}}, true
	}
	return loc, ok
}

// uri is a file as RFC 3986 spells it, and what it is relative to.
func uri(file string) (ref, base string) {
	u := url.URL{Path: filepath.ToSlash(file)}
	if filepath.IsAbs(file) {
		u.Scheme = "file"
		return u.String(), ""
	}
	if !filepath.IsLocal(file) {
		return u.String(), "" // above the folder that it is run in
	}
	return u.String(), sourceRoot
}

func level(s check.Severity) string {
	switch s {
	case check.Critical, check.High:
		return "error"
	case check.Medium:
		return "warning"
	}
	return "note"
}

// score is the number that code scanning sorts by (CVSS bands).
func score(s check.Severity) string {
	switch s {
	case check.Critical:
		return "9.5"
	case check.High:
		return "8.0"
	case check.Medium:
		return "5.0"
	}
	return "2.0"
}
