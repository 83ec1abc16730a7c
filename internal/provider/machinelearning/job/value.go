package job

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// parseInputs reads the inputs of a job or step: {"jobInputType", "value"|"uri",
// "mode"}, or a bare literal.
func parseInputs(o object) (map[string]Input, error) {
	out := make(map[string]Input, len(o))
	for _, name := range names(o) {
		if !validName(name) {
			return nil, fmt.Errorf("inputs: %q is not a name: letters, digits, '_' and '-'", clip(name))
		}
		if s, ok := scalar(o[name]); ok {
			out[name] = Input{Value: s, Given: true}
			continue
		}
		doc, ok := o[name].(map[string]any)
		if !ok {
			continue // null: an optional input that was not given
		}
		in := Input{Type: inputType(doc), Mode: object(doc).text("mode")}
		for _, key := range []string{"value", "uri", "path"} {
			if s, ok := scalar(object(doc).get(key)); ok {
				in.Value, in.Given = s, true
				break
			}
		}
		in.Value = trimAsset(in.Value)
		out[name] = in
	}
	return out, nil
}

// inputType is the declared type; "literal" says nothing about which.
func inputType(o object) string {
	typ := strings.ToLower(o.text("jobInputType"))
	if typ == "" {
		typ = strings.ToLower(o.text("type"))
	}
	if typ == "literal" {
		return ""
	}
	return typ
}

func parseOutputs(o object) (map[string]Output, error) {
	out := make(map[string]Output, len(o))
	for _, name := range names(o) {
		if !validName(name) {
			return nil, fmt.Errorf("outputs: %q is not a name: letters, digits, '_' and '-'", clip(name))
		}
		if s, ok := o[name].(string); ok {
			out[name] = Output{Bind: s}
			continue
		}
		doc, _ := o[name].(map[string]any)
		d := object(doc)
		res := Output{Mode: d.text("mode"), URI: d.text("uri"), Bind: d.text("value"), Type: strings.ToLower(d.text("jobOutputType"))}
		if res.Type == "" {
			res.Type = strings.ToLower(d.text("type"))
		}
		if res.Type == "literal" {
			res.Type = ""
		}
		out[name] = res
	}
	return out, nil
}

// declaredInput reads an input of a component.
func declaredInput(o object) Input {
	in := Input{Type: strings.ToLower(o.text("type")), Optional: o.bool("optional"), Mode: o.text("mode")}
	if s, ok := scalar(o.get("default")); ok {
		in.Value, in.Given = s, true
	}
	if n, ok := o.number("min"); ok {
		in.Min = &n
	}
	if n, ok := o.number("max"); ok {
		in.Max = &n
	}
	list, _ := o.get("enum").([]any)
	for _, v := range list {
		if s, ok := scalar(v); ok {
			in.Enum = append(in.Enum, s)
		}
	}
	return in
}

// give puts what the pipeline gives into what the component declares.
func (j *Job) give(given map[string]Input, bound map[string]Output) error {
	for _, name := range names(given) {
		decl, ok := j.Inputs[name]
		if !ok {
			return fmt.Errorf("inputs.%s: the component has no such input; it has %s", name, list(names(j.Inputs)))
		}
		in := given[name]
		if in.Given {
			decl.Value, decl.Given = in.Value, true
		}
		if in.Mode != "" {
			decl.Mode = in.Mode
		}
		j.Inputs[name] = decl
	}
	for _, name := range names(bound) {
		decl, ok := j.Outputs[name]
		if !ok {
			return fmt.Errorf("outputs.%s: the component has no such output; it has %s", name, list(names(j.Outputs)))
		}
		b := bound[name]
		decl.Bind, decl.URI = b.Bind, b.URI
		if b.Mode != "" {
			decl.Mode = b.Mode
		}
		if b.Type != "" {
			decl.Type = b.Type
		}
		j.Outputs[name] = decl
	}
	return nil
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// checkLiteral says what is wrong with a literal for its declared type.
func (in Input) checkLiteral(text string) error {
	switch in.Type {
	case "number", "integer":
		n, err := strconv.ParseFloat(text, 64)
		if in.Type == "integer" && err == nil {
			_, err = strconv.ParseInt(text, 10, 64)
		}
		if err != nil {
			return fmt.Errorf("%q is not of type %s", clip(text), in.Type)
		}
		if in.Min != nil && n < *in.Min || in.Max != nil && n > *in.Max {
			return fmt.Errorf("%s is outside the range %s", text, in.bounds())
		}
	case "boolean":
		if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
			return fmt.Errorf("%q is not of type boolean", clip(text))
		}
	}
	if len(in.Enum) > 0 && !slices.Contains(in.Enum, text) {
		return fmt.Errorf("%q is none of %s", clip(text), list(in.Enum))
	}
	return nil
}

func (in Input) bounds() string {
	lo, hi := "-inf", "inf"
	if in.Min != nil {
		lo = strconv.FormatFloat(*in.Min, 'g', -1, 64)
	}
	if in.Max != nil {
		hi = strconv.FormatFloat(*in.Max, 'g', -1, 64)
	}
	return lo + ".." + hi
}
