package pipeline

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

const maxSteps = 500

// steps reads a job's steps. The checkout that a job does without being told is
// made a step here; a deployment job does none.
func (r *reader) steps(b bound, deployment bool) []Step {
	var out []Step
	checkout := false
	for _, item := range r.items(b, "steps") {
		if item.Kind == yaml.ScalarNode && item.Tag == "!!null" {
			r.fail(item, "a step is empty")
			continue
		}
		s, ok := r.step(item)
		if !ok {
			continue
		}
		checkout = checkout || s.Kind == KindCheckout
		if s.Kind != KindCheckout || s.Target != "none" {
			out = append(out, s)
		}
	}
	if len(out) > maxSteps {
		r.fail(b, "a job has at most %d steps", maxSteps)
	}
	if !checkout && !deployment {
		out = append([]Step{{Kind: KindCheckout, Target: "self", Enabled: true}}, out...)
	}
	return out
}

var unsupportedStep = map[string]string{
	"task":                    "use script or bash",
	"template":                "write the steps in this file",
	"powershell":              "use script or bash",
	"pwsh":                    "use script or bash",
	"downloadBuild":           "use download",
	"getPackage":              "fetch packages in a script",
	"reviewApp":               "use script or bash",
	"target":                  "steps run on the agent itself",
	"retryCountOnTaskFailure": "retry in the script",
	"inputs":                  "only tasks take inputs",
}

func (r *reader) step(b bound) (Step, bool) {
	s := Step{Enabled: true}
	kinds := 0
	kind := func(k string, into *string) func(at, value bound) {
		return func(_, v bound) {
			s.Kind, *into = k, r.text(r.resolve(v))
			kinds++
		}
	}
	before := len(r.errs)
	keys := map[string]func(at, value bound){
		KindScript:         kind(KindScript, &s.Script),
		KindBash:           kind(KindBash, &s.Script),
		KindCheckout:       kind(KindCheckout, &s.Target),
		KindPublish:        kind(KindPublish, &s.Target),
		KindDownload:       kind(KindDownload, &s.Target),
		"name":             r.setText(&s.Name),
		"displayName":      r.setText(&s.DisplayName),
		"condition":        r.setCondition(&s.Condition),
		"continueOnError":  r.setBool(&s.ContinueOnError),
		"enabled":          r.setBool(&s.Enabled),
		"timeoutInMinutes": r.setWhole(&s.Minutes, 100_000),
		"env":              func(_, v bound) { s.Env = r.env(v) },
	}
	var used []field
	for name, set := range map[string]func(at, value bound){
		"workingDirectory": r.setText(&s.WorkingDirectory),
		"failOnStderr":     r.setBool(&s.FailOnStderr),
		"artifact":         r.setText(&s.Artifact),
		"path":             r.setText(&s.Path),
		"clean":            r.setBool(&s.Clean),
		"fetchDepth":       r.setWhole(&s.Depth, 1<<30),
	} {
		keys[name] = func(at, v bound) { set(at, v); used = append(used, field{name, at, v}) }
	}
	r.read(b, schema{what: "a step", keys: keys, unsupported: unsupportedStep})
	if len(r.errs) > before {
		return s, false
	}
	if kinds != 1 {
		r.fail(b, "a step has exactly one of script, bash, checkout, publish and download")
		return s, false
	}
	for _, f := range used {
		if !strings.Contains(" "+keysOfKind[s.Kind]+" ", " "+f.key+" ") {
			r.fail(f.at, "%s is not a key of a %s step", f.key, s.Kind)
		}
	}
	r.checkStep(b, s)
	return s, len(r.errs) == before
}

var keysOfKind = map[string]string{
	KindScript:   "workingDirectory failOnStderr",
	KindBash:     "workingDirectory failOnStderr",
	KindCheckout: "clean fetchDepth path",
	KindPublish:  "artifact",
	KindDownload: "artifact path",
}

func (r *reader) checkStep(b bound, s Step) {
	if s.Name != "" {
		r.identifier(b, "step", s.Name)
	}
	switch s.Kind {
	case KindScript, KindBash:
		if strings.TrimSpace(s.Script) == "" {
			r.fail(b, "the %s of a step is empty", s.Kind)
		}
	case KindCheckout:
		if s.Target != "self" && s.Target != "none" {
			r.fail(b, "checkout must be self or none: a pipeline checks out its own repository, not %q", s.Target)
		}
	case KindPublish:
		if s.Artifact == "" {
			r.fail(b, "publish needs the artifact's name: `artifact: NAME`")
		}
	case KindDownload:
		if s.Target != "current" && s.Target != "none" && !isIdentifier(s.Target) {
			r.fail(b, "download must be current, none or the name of a pipeline resource, not %q", s.Target)
		}
	}
}

func (r *reader) env(b bound) map[string]string {
	out := map[string]string{}
	for _, f := range r.fields(b, "env") {
		if f.key == "" || strings.ContainsAny(f.key, "=\x00") {
			r.fail(f.at, "%q cannot be the name of an environment variable", f.key)
			continue
		}
		out[f.key] = r.text(f.value)
	}
	return out
}
