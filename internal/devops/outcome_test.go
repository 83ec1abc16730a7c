package devops_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/internal/devops"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// What fails, what runs all the same, and what the run comes to.
func TestFailurePaths(t *testing.T) {
	o := startOrganisation(t)
	o.runAgent("agent-1")
	for _, c := range []struct {
		name, yaml string
		result     string
		results    map[string]string // of records
		logs       []string
	}{
		{
			name: "fails",
			yaml: `
steps:
- checkout: none
- script: |
    false
    echo not reached
  name: bad
- script: echo skipped
  name: normal
- script: echo "status is $(Agent.JobStatus)"
  name: always
  condition: always()
- script: echo after a failure
  name: onfailure
  condition: failed()
`,
			result:  wire.ResultFailed,
			results: map[string]string{"__default.Job.bad": "failed", "__default.Job.normal": "skipped", "__default.Job.always": "succeeded", "__default.Job.onfailure": "succeeded", "__default.Job": "failed", "__default": "failed"},
			logs:    []string{"status is Failed", "after a failure", "##[error]the script ended with exit code 1"},
		},
		{
			name: "continues",
			yaml: `
steps:
- checkout: none
- script: exit 3
  name: bad
  continueOnError: true
- script: echo "status is $(Agent.JobStatus)"
  name: after
- bash: echo "##vso[task.complete result=SucceededWithIssues]"
  name: says
- script: echo no
  enabled: false
  name: off
`,
			result:  wire.ResultSucceeded,
			results: map[string]string{"__default.Job.bad": "succeededWithIssues", "__default.Job.after": "succeeded", "__default.Job.says": "succeededWithIssues", "__default.Job.off": "skipped", "__default.Job": "succeededWithIssues"},
			logs:    []string{"status is SucceededWithIssues"},
		},
		{
			name: "stderr",
			yaml: `
jobs:
- job: strict
  steps:
  - checkout: none
  - script: echo oops >&2
    failOnStderr: true
- job: lenient
  dependsOn: strict
  condition: succeededOrFailed()
  continueOnError: true
  steps:
  - checkout: none
  - script: echo oops >&2
  - script: exit 1
- job: last
  dependsOn: lenient
  condition: in(dependencies.lenient.result, 'SucceededWithIssues')
  steps:
  - checkout: none
  - script: echo reached
`,
			result:  wire.ResultFailed,
			results: map[string]string{"__default.strict": "failed", "__default.lenient": "failed", "__default.last": "succeeded"},
			logs:    []string{"reached"},
		},
		{
			name: "conditions",
			yaml: `
stages:
- stage: a
  jobs:
  - job: one
    steps:
    - checkout: none
    - script: exit 1
- stage: b
  condition: failed()
  jobs:
  - job: one
    steps:
    - checkout: none
    - script: echo mending
- stage: c
  dependsOn: [a, b]
  jobs:
  - job: one
    steps: [{script: echo never}]
- stage: broken
  dependsOn: []
  condition: gt(variables['Build.Reason'], 7)
  jobs:
  - job: one
    steps: [{script: echo never}]
- stage: wrong
  dependsOn: []
  condition: ge(1, 'many')
  jobs:
  - job: one
    steps: [{script: echo never}]
`,
			result:  wire.ResultFailed,
			results: map[string]string{"a": "failed", "b": "succeeded", "c": "skipped", "wrong": "failed"},
			logs:    []string{"mending"},
		},
		{
			name: "matrix",
			yaml: `
jobs:
- job: build
  strategy:
    maxParallel: 1
    matrix:
      small: {size: 1}
      large: {size: 9}
  steps:
  - checkout: none
  - bash: echo "##vso[task.setvariable variable=area;isOutput=true]$(size)"
    name: measure
- job: sum
  dependsOn: build
  variables:
    both: $[ format('{0}+{1}', dependencies.build.outputs['small.measure.area'], dependencies.build.outputs['large.measure.area']) ]
  steps:
  - checkout: none
  - script: echo "areas $(both)"
`,
			result:  wire.ResultSucceeded,
			results: map[string]string{"__default.build.small": "succeeded", "__default.build.large": "succeeded", "__default.sum": "succeeded"},
			logs:    []string{"areas 1+9"},
		},
		{
			name: "deployment",
			yaml: `
stages:
- stage: staging
  jobs:
  - deployment: put
    environment: staging
    strategy:
      runOnce:
        deploy:
          steps:
          - bash: |
              echo "in $(Environment.Name)"
              echo "##vso[task.setvariable variable=url;isOutput=true]https://x"
            name: go
- stage: production
  condition: and(succeeded(), ne(dependencies.staging.outputs['put.put.go.url'], ''))
  jobs:
  - job: check
    variables:
      url: $[ stageDependencies.staging.put.outputs['put.go.url'] ]
    steps:
    - checkout: none
    - script: echo "url $(url)"
`,
			result: wire.ResultSucceeded,
			logs:   []string{"in staging", "url https://x"},
		},
		{
			name: "nowhere",
			yaml: `
pool: nobody
steps:
- script: echo never
`,
			result:  wire.ResultFailed,
			results: map[string]string{"__default.Job": "failed"},
		},
		{
			name: "demands",
			yaml: `
pool:
  name: Default
  demands: [git, Agent.OS -equals Windows]
steps:
- script: echo never
`,
			result: wire.ResultFailed,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &organisation{Server: o.Server, t: t, url: o.url}
			o.pipeline(c.name, c.yaml, nil)
			r := o.queue(c.name, devops.RunSpec{})
			if r.Result != c.result {
				t.Errorf("the run is %s, want %s:\n%s", r.Result, c.result, o.describe(r.ID))
			}
			results := o.results(r.ID)
			for id, want := range c.results {
				if results[id] != want {
					t.Errorf("%s is %q, want %q", id, results[id], want)
				}
			}
			logs := o.logs(r.ID)
			for _, want := range c.logs {
				if !strings.Contains(logs, want) {
					t.Errorf("the logs lack %q:\n%s", want, logs)
				}
			}
			if strings.Contains(logs, "not reached") && !strings.Contains(c.yaml, "echo reached") {
				t.Error("the script went on after a command that failed")
			}
		})
	}
}

func TestSecretsAreMasked(t *testing.T) {
	o := startOrganisation(t)
	o.runAgent("agent-1")
	o.pipeline("secret", `
jobs:
- job: first
  steps:
  - bash: |
      echo "plain $(password) and env [$MAPPED] and unmapped [$PASSWORD]"
      printf '%s' "$(password)" | base64
      echo "token ${SYSTEM_ACCESSTOKEN:-absent}"
      echo "##vso[task.setvariable variable=made;isOutput=true;issecret=true]pomegranate"
      echo "##vso[task.logissue type=warning]the password is $(password)"
    env:
      MAPPED: $(password)
    name: make
  - bash: echo "made $(make.made)"
  - bash: echo "##vso[task.setsecret]quince"; echo "a quince tree"
  - bash: exit 1
    displayName: Use $(password)
    continueOnError: true
- job: second
  dependsOn: first
  variables:
    taken: $[ dependencies.first.outputs['make.made'] ]
  steps:
  - bash: |
      test "$(taken)" = pomegranate
      echo "taken $(taken)"
`, map[string]wire.VariableValue{"password": {Value: "hunter2-hunter2", IsSecret: true}})
	r := o.queue("secret", devops.RunSpec{})
	all := o.describe(r.ID)
	if r.Result != wire.ResultSucceeded {
		t.Fatalf("the run is %s:\n%s", r.Result, all)
	}
	for _, secret := range []string{"hunter2", "pomegranate", "quince", "aHVudGVyMi1odW50ZXIy"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q can be read:\n%s", secret, all)
		}
	}
	for _, want := range []string{"plain *** and env [***] and unmapped []", "made ***", "a *** tree", "taken ***", "token absent", "warning: the password is ***"} {
		if !strings.Contains(all, want) {
			t.Errorf("the logs lack %q:\n%s", want, all)
		}
	}
	if v := r.Variables["password"]; v.Value != "" || !v.IsSecret {
		t.Errorf("the run shows its secret variable as %+v", v)
	}
}

func TestCancel(t *testing.T) {
	o := startOrganisation(t)
	o.runAgent("agent-1")
	o.pipeline("long", `
stages:
- stage: a
  jobs:
  - job: sleeper
    steps:
    - checkout: none
    - bash: |
        echo sleeping
        sleep 600 &
        wait
    - bash: echo "cleaning, $(Agent.JobStatus)"
      condition: always()
    - bash: echo never
  - job: waiting
    steps: [{script: echo never}]
- stage: b
  jobs:
  - job: never
    steps: [{script: echo never}]
- stage: c
  condition: canceled()
  jobs:
  - job: tidy
    steps: [{checkout: none}, {script: echo tidying}]
`, nil)
	run, err := o.QueueRun(context.Background(), "mlops", "long", devops.RunSpec{})
	if err != nil {
		t.Fatal(err)
	}
	o.until(func() bool { return strings.Contains(o.logs(run.ID), "sleeping") }, "the job sleeps")
	begun := time.Now()
	if err := o.Cancel(context.Background(), run.ID); err != nil {
		t.Fatal(err)
	}
	r := o.wait(run.ID)
	all := o.describe(r.ID)
	if r.Result != wire.ResultCanceled {
		t.Errorf("the run is %s, want canceled:\n%s", r.Result, all)
	}
	if !strings.Contains(all, "cleaning, Canceled") || !strings.Contains(all, "tidying") || strings.Contains(all, "never\n") {
		t.Errorf("always() and canceled() must run after a cancel, and nothing else:\n%s", all)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("cancelling took %s", took)
	}
	if err := o.Cancel(context.Background(), run.ID); err == nil {
		t.Error("a run that is done was canceled again")
	}
}

// until waits for something.
func (o *organisation) until(holds func() bool, what string) {
	o.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	o.t.Fatalf("waited in vain until %s", what)
}
