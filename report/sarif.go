package report

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path/filepath"

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
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifDriver struct {
	Name            string      `json:"name"`
	SemanticVersion string      `json:"semanticVersion,omitempty"`
	InformationURI  string      `json:"informationUri"`
	Rules           []sarifRule `json:"rules"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID                   string         `json:"id"`
	ShortDescription     sarifText      `json:"shortDescription"`
	FullDescription      sarifText      `json:"fullDescription"`
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
		URI string `json:"uri"`
	} `json:"artifactLocation"`
	Region struct {
		StartLine int `json:"startLine"`
	} `json:"region"`
}

type sarifLogical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

// SARIF writes what falls and what is unknown as SARIF 2.1.0, for code scanning.
// What holds is left out; what is switched off is written as suppressed.
func SARIF(w io.Writer, r *check.Report, o Options) error {
	run := sarifRun{ColumnKind: "utf16CodeUnits", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "cloister", SemanticVersion: o.Version, InformationURI: "https://github.com/cloister-ml/cloister"}
	index := map[string]int{}
	for i, rule := range check.Rules() {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.ID, ShortDescription: sarifText{rule.Title}, FullDescription: sarifText{rule.Help},
			DefaultConfiguration: map[string]any{"level": level(rule.Severity)},
			Properties:           map[string]any{"security-severity": score(rule.Severity), "tags": []string{"security", "network", "azure"}},
		})
	}
	for _, q := range r.Requirements {
		if q.Outcome == check.Holds {
			continue
		}
		result := sarifOf(q, o)
		result.RuleIndex = index[q.Rule]
		run.Results = append(run.Results, result)
	}
	return encode(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

func sarifOf(q check.Requirement, o Options) sarifResult {
	sum := sha256.Sum256([]byte(q.ID))
	res := sarifResult{
		RuleID: q.Rule, Kind: "fail", Level: level(q.Severity),
		PartialFingerprints: map[string]string{"cloisterRequirement/v1": hex.EncodeToString(sum[:16])},
	}
	res.Message.Text = q.Title + " - falls: " + q.Reason + "."
	switch q.Outcome {
	case check.Unknown:
		res.Kind, res.Level = "open", "none"
		res.Message.Text = q.Title + " - cannot be known before deployment: " + q.Reason + "."
	case check.Off:
		res.Message.Text = q.Title + " - switched off."
		res.Suppressions = []map[string]string{{"kind": "external", "justification": q.Reason}}
	}
	if q.Remedy != "" {
		res.Message.Text += " To mend it: " + q.Remedy + "."
	}
	res.Message.Text = printable(res.Message.Text)
	if loc, ok := sarifWhere(q, o); ok {
		res.Locations = []sarifLocation{loc}
	}
	return res
}

func sarifWhere(q check.Requirement, o Options) (loc sarifLocation, ok bool) {
	if q.Source.File != "" {
		p := &sarifPhysical{}
		p.ArtifactLocation.URI = filepath.ToSlash(o.file(q.Source))
		p.Region.StartLine = max(q.Source.Line, 1)
		loc.PhysicalLocation, ok = p, true
	}
	if q.Resource != "" {
		loc.LogicalLocations, ok = []sarifLogical{{string(q.Resource), "resource"}}, true
	}
	return loc, ok
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
