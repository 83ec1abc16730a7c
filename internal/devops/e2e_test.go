package devops_test

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/internal/devops"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

func TestTwoStagesWithOutputs(t *testing.T) {
	o := startOrganisation(t)
	o.runAgent("agent-1")
	o.pipeline("train", `
name: train-$(Rev:r)
trigger: none
parameters:
- name: alpha
  type: number
  default: 0.4
variables:
  greeting: good $(time)
  time: morning
stages:
- stage: test
  jobs:
  - job: unit
    steps:
    - checkout: self
    - script: cat hello.txt
      displayName: Show the file
    - bash: |
        echo "##vso[task.setvariable variable=model;isOutput=true]diabetes:7"
        echo "$(greeting), alpha is ${{ parameters.alpha }}"
        echo "run $BUILD_BUILDNUMBER on $AGENT_NAME"
      name: pick
    - script: echo "again $(pick.model)"
- stage: train
  dependsOn: test
  condition: and(succeeded(), eq(dependencies.test.outputs['unit.pick.model'], 'diabetes:7'))
  variables:
    chosen: $[ stageDependencies.test.unit.outputs['pick.model'] ]
  jobs:
  - job: a
    steps:
    - checkout: none
    - script: echo "chosen is $(chosen)"
  - job: b
    dependsOn: a
    condition: failed()
    steps:
    - script: echo never
`, nil)
	r := o.queue("train", devops.RunSpec{Parameters: map[string]any{"alpha": 0.25}})
	if r.Result != wire.ResultSucceeded || r.Name != "train-1" {
		t.Fatalf("the run is %s, named %s:\n%s", r.Result, r.Name, o.describe(r.ID))
	}
	logs := o.logs(r.ID)
	for _, want := range []string{
		"hello from the repository", "good morning, alpha is 0.25", "run train-1 on agent-1",
		"again diabetes:7", "chosen is diabetes:7",
	} {
		if !strings.Contains(logs, want) {
			t.Errorf("the logs lack %q:\n%s", want, logs)
		}
	}
	if got := o.results(r.ID)["train.b"]; got != wire.ResultSkipped {
		t.Errorf("job b is %s, want skipped", got)
	}
}
