package pipeline_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/pipeline"
)

// summary writes a pipeline down in short, for comparing.
func summary(p *pipeline.Pipeline) string {
	var b strings.Builder
	vars := func(indent string, vs []pipeline.Variable) {
		for _, v := range vs {
			fmt.Fprintf(&b, "%s%s=%s\n", indent, v.Name, v.Value)
		}
	}
	vars("", p.Variables)
	for _, s := range p.Stages {
		fmt.Fprintf(&b, "stage %s after %v if %q\n", s.Name, s.DependsOn, s.Condition)
		vars("  ", s.Variables)
		for _, j := range s.Jobs {
			fmt.Fprintf(&b, "  job %s on %s after %v if %q\n", j.ID(), j.Pool.Name, j.DependsOn, j.Condition)
			vars("    ", j.Variables)
			for _, st := range j.Steps {
				fmt.Fprintf(&b, "    %s %s%s%s\n", st.Kind, st.Name, st.Target, strings.ReplaceAll(strings.TrimSpace(st.Script), "\n", "|"))
			}
		}
	}
	return b.String()
}

func TestRead(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"steps alone are a job in a stage", "steps:\n- script: make\n", `
stage __default after [] if ""
  job Job on Default after [] if ""
    checkout self
    script make
`},
		{"jobs alone are a stage; they do not wait for one another", "pool: p\njobs:\n- job: a\n  steps:\n  - checkout: none\n  - bash: one\n- job: b\n  pool: {name: q}\n  dependsOn: a\n  condition: failed()\n  steps:\n  - checkout: self\n  - bash: two\n", `
stage __default after [] if ""
  job a on p after [] if ""
    bash one
  job b on q after [a] if "failed()"
    checkout self
    bash two
`},
		{"stages wait for the one before, unless they say otherwise", "stages:\n- stage: a\n  jobs: [{job: x, steps: [checkout: none]}]\n- stage: b\n  jobs: [{job: x, steps: [checkout: none]}]\n- stage: c\n  dependsOn: []\n  jobs: [{job: x, steps: [checkout: none]}]\n- stage: d\n  dependsOn: [a, c]\n  condition: $[always()]\n  jobs: [{job: x, steps: [checkout: none]}]\n", `
stage a after [] if ""
  job x on Default after [] if ""
stage b after [a] if ""
  job x on Default after [] if ""
stage c after [] if ""
  job x on Default after [] if ""
stage d after [a c] if "always()"
  job x on Default after [] if ""
`},
		{"variables of both forms, of each level", "variables:\n- name: a\n  value: 1\n- name: b\n  value: $(a) ${{ variables.a }}\nstages:\n- stage: s\n  variables: {c: '${{ variables.b }}!'}\n  jobs:\n  - job: j\n    variables:\n      a: 9\n      d: $[ variables.c ]\n    steps:\n    - script: echo ${{ variables.a }} ${{ variables.c }} $(d)\n", `
a=1
b=$(a) 1
stage s after [] if ""
  c=$(a) 1!
  job j on Default after [] if ""
    a=9
    d=$[ variables.c ]
    checkout self
    script echo 9 $(a) 1! $(d)
`},
		{"a matrix makes a job of each leg", "jobs:\n- job: t\n  variables: {v: 0}\n  strategy:\n    maxParallel: 2\n    matrix:\n      py3: {v: 1}\n      py4: {v: 2}\n  steps: [{script: echo}]\n", `
stage __default after [] if ""
  job t py3 on Default after [] if ""
    v=0
    v=1
    checkout self
    script echo
  job t py4 on Default after [] if ""
    v=0
    v=2
    checkout self
    script echo
`},
		{"a deployment job checks nothing out", "jobs:\n- deployment: put\n  environment: prod\n  strategy: {runOnce: {deploy: {steps: [{script: go}]}}}\n", `
stage __default after [] if ""
  job put on Default after [] if ""
    script go
`},
		{"if, elseif and else, of steps and of keys", "variables: {kind: b}\nsteps:\n- ${{ if eq(variables.kind, 'a') }}:\n  - script: a\n- ${{ elseif eq(variables.kind, 'b') }}:\n  - script: b\n  - script: b2\n- ${{ else }}:\n  - script: c\n- script: all\n  ${{ if eq(1, 1) }}:\n    name: named\n  ${{ else }}:\n    name: unnamed\n", `
kind=b
stage __default after [] if ""
  job Job on Default after [] if ""
    checkout self
    script b
    script b2
    script namedall
`},
		{"each, over lists and mappings", "parameters:\n- name: names\n  type: object\n  default: [x, y]\n- name: sizes\n  type: object\n  default: {small: 1, large: 9}\njobs:\n- ${{ each n in parameters.names }}:\n  - job: job_${{ n }}\n    steps:\n    - checkout: none\n    - ${{ each s in parameters.sizes }}:\n      - script: ${{ n }} ${{ s.key }}=${{ s.value }}\n", `
stage __default after [] if ""
  job job_x on Default after [] if ""
    script x large=9
    script x small=1
  job job_y on Default after [] if ""
    script y large=9
    script y small=1
`},
		{"parameters have types", "parameters:\n- {name: flag, type: boolean, default: true}\n- {name: n, type: number, default: 2}\n- {name: s, default: text, values: [text, other]}\n- {name: steps, type: object, default: [{script: given}]}\nsteps:\n- ${{ if parameters.flag }}:\n  - script: ${{ parameters.flag }} ${{ parameters.n }} ${{ parameters.s }}\n- ${{ parameters.steps }}\n", `
stage __default after [] if ""
  job Job on Default after [] if ""
    checkout self
    script True 2 text
    script given
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := pipeline.Read("p.yml", []byte(c.yaml), pipeline.Inputs{})
			if err != nil {
				t.Fatal(err)
			}
			if got := "\n" + summary(p); got != c.want {
				t.Errorf("got:%s\nwant:%s", got, c.want)
			}
		})
	}
}

func TestReadDetails(t *testing.T) {
	p, err := pipeline.Read("p.yml", []byte(`
name: $(Build.DefinitionName)-$(Rev:rr)
trigger:
  branches: {include: [main, 'releases/*'], exclude: [old]}
  paths: {exclude: [docs/]}
pr: none
resources:
  pipelines:
  - pipeline: train
    trigger: {branches: [main], stages: [register]}
  - pipeline: other
    source: other-pipeline
    trigger: none
pool: {name: mlops, demands: [git, Agent.OS -equals Linux]}
jobs:
- job: a
  displayName: The job
  timeoutInMinutes: 5
  cancelTimeoutInMinutes: 1
  continueOnError: true
  workspace: {clean: all}
  steps:
  - checkout: self
    clean: true
    fetchDepth: 1
  - script: echo $HOME
    name: one
    displayName: Say
    condition: and(always(), eq(variables.x, 1))
    continueOnError: true
    enabled: false
    timeoutInMinutes: 3
    workingDirectory: $(Build.SourcesDirectory)/x
    failOnStderr: true
    env: {A: 1, B: $(secret)}
  - publish: out
    artifact: report
  - download: train
    artifact: model
    path: in
`), pipeline.Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"$(Build.DefinitionName)-$(Rev:rr)",` +
		`"trigger":{"branches":{"include":["main","releases/*"],"exclude":["old"]},"paths":{"exclude":["docs/"]}},` +
		`"upstream":[{"alias":"train","source":"train","trigger":true,"branches":{"include":["main"]},"stages":["register"]},` +
		`{"alias":"other","source":"other-pipeline","trigger":false,"branches":{}}],` +
		`"stages":[{"name":"__default","jobs":[{"name":"a","displayName":"The job","pool":{"name":"mlops","demands":["git","Agent.OS -equals Linux"]},` +
		`"timeoutInMinutes":5,"cancelTimeoutInMinutes":1,"continueOnError":true,"clean":"all","steps":[` +
		`{"kind":"checkout","enabled":true,"target":"self","clean":true,"depth":1},` +
		`{"kind":"script","name":"one","displayName":"Say","condition":"and(always(), eq(variables.x, 1))","continueOnError":true,"enabled":false,` +
		`"timeoutInMinutes":3,"workingDirectory":"$(Build.SourcesDirectory)/x","failOnStderr":true,"env":{"A":"1","B":"$(secret)"},"script":"echo $HOME"},` +
		`{"kind":"publish","enabled":true,"target":"out","artifact":"report"},` +
		`{"kind":"download","enabled":true,"target":"train","artifact":"model","path":"in"}]}]}]}`
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"no YAML", "steps:\n- script: [\n", "p.yml:3:1: not YAML"},
		{"a tab", "steps:\n\t- script: x\n", "p.yml:2:1: not YAML"},
		{"nothing", "", "holds no pipeline"},
		{"a list", "- script: x\n", "p.yml:1:1: a pipeline must be a mapping of keys to values, not a list"},
		{"no steps", "trigger: none\n", "has no stages, jobs or steps"},
		{"both", "steps: [{script: x}]\njobs: []\n", "not two of them"},
		{"an unknown key", "stagess: []\n", "p.yml:1:1: unknown key stagess of the pipeline; did you mean stages?"},
		{"another case", "jobs:\n- job: a\n  dependson: b\n  steps: [{script: x}]\n", "p.yml:3:3: unknown key dependson of a job; did you mean dependsOn?"},
		{"swapped letters", "steps:\n- script: x\n  dispalyName: y\n", "p.yml:3:3: unknown key dispalyName of a step; did you mean displayName?"},
		{"far from anything", "steps:\n- script: x\n  zzzzzzzz: y\n", "unknown key zzzzzzzz of a step; known: artifact, bash"},
		{"a task", "steps:\n- task: Foo@1\n", "p.yml:2:3: task of a step is not supported: use script or bash"},
		{"a template", "jobs:\n- template: x.yml\n", "template of a job is not supported: write the job in this file"},
		{"a variable group", "variables:\n- group: secrets\nsteps: [{script: x}]\n", "p.yml:2:3: group of a variable is not supported: there are no variable groups"},
		{"a Microsoft-hosted pool", "pool: {vmImage: ubuntu-latest}\nsteps: [{script: x}]\n", "there are no Microsoft-hosted agents"},
		{"an anchor", "steps:\n- &a {script: x}\n- *a\n", "p.yml:2:3: Azure Pipelines does not know YAML anchors"},
		{"a key twice", "steps:\n- script: x\n  script: y\n", "the key script stands twice"},
		{"two kinds of step", "steps:\n- script: x\n  bash: y\n", "exactly one of"},
		{"a step without a kind", "steps:\n- name: x\n", "exactly one of"},
		{"a key of another kind", "steps:\n- checkout: self\n  failOnStderr: true\n", "failOnStderr is not a key of a checkout step"},
		{"another repository", "steps:\n- checkout: git://x\n", "checkout must be self or none"},
		{"no boolean", "steps:\n- script: x\n  enabled: maybe\n", `p.yml:3:12: enabled must be true or false, not "maybe"`},
		{"no number", "jobs:\n- job: a\n  timeoutInMinutes: -1\n  steps: [{script: x}]\n", "timeoutInMinutes must be a whole number"},
		{"a bad name", "jobs:\n- job: a-b\n  steps: [{script: x}]\n", `the name "a-b" of a job`},
		{"a name twice", "stages:\n- stage: a\n  jobs: [{job: x, steps: [{script: x}]}]\n- stage: A\n  jobs: [{job: x, steps: [{script: x}]}]\n", "two stages are named A"},
		{"a job twice", "jobs:\n- {job: a, steps: [{script: x}]}\n- {job: a, steps: [{script: x}]}\n", "are named a"},
		{"a step twice", "steps:\n- {script: x, name: a}\n- {script: x, name: A}\n", "two steps of job Job are named A"},
		{"a dependency that is not", "jobs:\n- {job: a, dependsOn: z, steps: [{script: x}]}\n", "job a depends on z, which does not exist"},
		{"a circle", "jobs:\n- {job: a, dependsOn: b, steps: [{script: x}]}\n- {job: b, dependsOn: a, steps: [{script: x}]}\n", "depends on itself"},
		{"a condition", "steps:\n- script: x\n  condition: and(succeeded()\n", `p.yml:3:14: in "and(succeeded()": the expression ends where ")" is expected`},
		{"a runtime variable", "variables: {a: '$[ eq(1) ]'}\nsteps: [{script: x}]\n", "eq takes at least 2 arguments"},
		{"a template expression", "steps:\n- script: ${{ variables }} ${{ nothing.x }}\n", "there is no nothing here; known: parameters, variables"},
		{"an open template expression", "steps:\n- script: a ${{ b\n", "has no }}"},
		{"else without if", "steps:\n- ${{ else }}:\n  - script: x\n", "else follows no if"},
		{"each of a text", "steps:\n- ${{ each a in 'x' }}:\n  - script: x\n", "each needs a list"},
		{"a parameter without value", "parameters: [{name: a}]\nsteps: [{script: x}]\n", "parameter a has no default and the run gives it no value"},
		{"a parameter of another type", "parameters: [{name: a, type: boolean, default: 7}]\nsteps: [{script: x}]\n", `parameter a must be a boolean, not "7"`},
		{"a parameter of no type", "parameters: [{name: a, type: stepList, default: []}]\nsteps: [{script: x}]\n", "the type stepList"},
		{"none of the values", "parameters: [{name: a, default: x, values: [y]}]\nsteps: [{script: x}]\n", "must be one of its values"},
		{"a deployment without strategy", "jobs:\n- deployment: a\n  environment: e\n  steps: [{script: x}]\n", "has its steps under strategy.runOnce.deploy"},
		{"a canary", "jobs:\n- deployment: a\n  environment: e\n  strategy: {canary: {}}\n", "canary of strategy is not supported: use runOnce"},
		{"an environment of a job", "jobs:\n- job: a\n  environment: e\n  steps: [{script: x}]\n", "environment is a key of deployment jobs"},
		{"a download of nothing", "steps:\n- download: up\n  artifact: x\n", "names no pipeline resource: up"},
		{"a repository resource", "resources: {repositories: [{repository: x}]}\nsteps: [{script: x}]\n", "repositories of resources is not supported"},
		{"several at once", "steps:\n- scrip: x\n- script: y\n  nam: z\n", "p.yml:2:3: unknown key scrip of a step; did you mean script?\np.yml:4:3: unknown key nam of a step; did you mean name?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := pipeline.Read("p.yml", []byte(c.yaml), pipeline.Inputs{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant an error that says\n%s", err, c.want)
			}
		})
	}
}

// A file cannot make more of itself than its share.
func TestBombs(t *testing.T) {
	list := "[" + strings.TrimSuffix(strings.Repeat("1,", 60), ",") + "]"
	nested := "parameters:\n- name: l\n  type: object\n  default: " + list + "\nsteps:\n"
	indent := ""
	for i := range 5 {
		nested += fmt.Sprintf("%s- ${{ each v%d in parameters.l }}:\n", indent, i)
		indent += "  "
	}
	nested += indent + "- script: x\n"
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	for name, text := range map[string]string{"nested each": nested, "a deep list": "steps: " + deep, "a large file": strings.Repeat("# x\n", 1<<19)} {
		begun := time.Now()
		if _, err := pipeline.Read("p.yml", []byte(text), pipeline.Inputs{}); err == nil {
			t.Errorf("%s was read", name)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}

func TestRunName(t *testing.T) {
	at := time.Date(2026, 3, 7, 14, 5, 9, 0, time.UTC)
	variables := map[string]string{"Build.DefinitionName": "train", "Build.SourceBranchName": "main"}
	for format, want := range map[string]string{
		"":                                       "20260307.3",
		"$(Date:yyyy-MM-dd)_$(Rev:rrr)":          "2026-03-07_003",
		"$(build.definitionname) $(Date:HHmmss)": "train 140509",
		"$(Date:DayOfYear)":                      "66",
		"$(unknown)/$(Rev:r)":                    "$(unknown)_3",
	} {
		got, err := pipeline.RunName(format, at, variables, func(string) (int64, error) { return 3, nil })
		if err != nil || got != want {
			t.Errorf("%q is %q (%v), want %q", format, got, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"steps:\n- script: x\n", "stages:\n- stage: a\n  jobs:\n  - job: b\n    steps: [{bash: '${{ variables.x }}'}]\n",
		"parameters: [{name: a, type: object, default: {b: [1]}}]\nsteps:\n- ${{ each x in parameters.a }}:\n  - script: ${{ x.key }}\n",
		"variables: [{name: a, value: '$[1]'}]\ntrigger: {branches: [a]}\njobs:\n- deployment: d\n  environment: e\n  strategy: {runOnce: {deploy: {steps: [{script: x}]}}}\n",
		"steps:\n- ${{ if true }}:\n  - script: x\n- ${{ else }}:\n  - script: y\n", "a: &b\n- *b\n", "? [a]\n: b\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := pipeline.Read("p.yml", []byte(text), pipeline.Inputs{Preview: true})
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error that says nothing")
			}
			return
		}
		for _, s := range p.Stages {
			if len(s.Jobs) == 0 {
				t.Fatal("a stage without jobs was accepted")
			}
		}
		if _, err := json.Marshal(p); err != nil {
			t.Fatal(err)
		}
	})
}
