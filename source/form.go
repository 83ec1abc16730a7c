package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/source/diagnostic"
)

// form is what a file is.
type form string

const (
	formPlan     form = "a Terraform plan as JSON"
	formState    form = "a Terraform state as \"terraform show -json\" prints it"
	formRawState form = "a Terraform state file"
	formTemplate form = "an ARM template"
	formEstate   form = "an estate"
)

// head is what tells the forms of JSON apart.
type head struct {
	Schema        string          `json:"$schema"`
	FormatVersion string          `json:"format_version"`
	Version       json.RawMessage `json:"version"`
	PlannedValues json.RawMessage `json:"planned_values"`
	Changes       json.RawMessage `json:"resource_changes"`
	Values        json.RawMessage `json:"values"`
	Lineage       string          `json:"lineage"`
	Resources     json.RawMessage `json:"resources"`
	Parameters    json.RawMessage `json:"parameters"`
	TerraformVer  string          `json:"terraform_version"`
}

// identify says what a file is by its content.
func identify(name string, text []byte) (form, diagnostic.Diagnostics) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return "", diagnostic.Fail(name, "Empty file", "There is nothing in it.")
	case bytes.HasPrefix(text, []byte("PK\x03\x04")):
		return "", diagnostic.Fail(name, "Plan not as JSON", "This is a plan as \"terraform plan -out\" saves it: print it with \"terraform show -json %s\" and read that.", filepath.Base(name))
	case isTemplate(trimmed):
		return formTemplate, diagnostic.Diagnostics{} // which may have comments, and is no plain JSON then
	case trimmed[0] != '{':
		return "", diagnostic.Fail(name, "Unknown form", "%s", unknownForm(name))
	}
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return "", badJSON(name, text, err)
	}
	if f := h.form(); f != "" {
		return f, diagnostic.Diagnostics{}
	}
	return "", diagnostic.Fail(name, "Unknown form", "%s", unknownForm(name))
}

// templateSchema is how a template says that it is one.
var templateSchema = regexp.MustCompile(`(?i)"\$schema"\s*:\s*"[^"\\]*deploymenttemplate\.json#?"`)

// isTemplate looks for the schema where templates have it: near their beginning.
func isTemplate(text []byte) bool {
	return (text[0] == '{' || text[0] == '/') && templateSchema.Match(text[:min(len(text), 8192)])
}

func (h head) form() form {
	switch {
	case strings.Contains(strings.ToLower(h.Schema), "deploymenttemplate.json"):
		return formTemplate
	case h.PlannedValues != nil || h.Changes != nil:
		return formPlan
	case h.FormatVersion != "" && h.Schema == "":
		return formState
	case h.Lineage != "" || h.TerraformVer != "" && h.Version != nil:
		return formRawState
	case h.Resources != nil && h.Schema == "":
		return formEstate
	}
	return ""
}

// unknownForm says what can be read, and for files that others make of it, how.
func unknownForm(name string) string {
	const forms = "A directory of Terraform is read, and as JSON: a plan or a state (terraform show -json), a state file, an ARM template, an estate (cloister show --json)."
	switch filepath.Ext(name) {
	case ".bicep":
		return "This is Bicep as it is written: compile it with \"az bicep build --file " + filepath.Base(name) + "\" and read the JSON that it writes."
	case ".tf", ".hcl", ".tfvars":
		return "This is one file of Terraform: name the directory that it is in."
	}
	return "This is nothing that is read. " + forms
}

// badJSON says where JSON is not JSON.
func badJSON(name string, text []byte, err error) diagnostic.Diagnostics {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return diagnostic.Fail(name, "Not the JSON that it should be", "%v.", err)
	}
	at := max(min(int(syntax.Offset), len(text))-1, 0) // it counts what was read
	before := text[:at]
	var d diagnostic.Diagnostics
	d.Source(name, text)
	d.Add(diagnostic.Diagnostic{
		Severity: diagnostic.Error, Summary: "Not JSON", Detail: "It cannot be read as JSON: " + syntax.Error() + ".", File: name,
		Line: bytes.Count(before, []byte("\n")) + 1, Column: at - bytes.LastIndexByte(before, '\n'),
	})
	return d
}
