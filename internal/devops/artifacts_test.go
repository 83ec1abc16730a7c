package devops_test

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/internal/devops"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// A job publishes, a later one downloads, and so does a run of another pipeline.
func TestArtifacts(t *testing.T) {
	o := startOrganisation(t)
	o.runAgent("agent-1")
	o.pipeline("producer", `
trigger: none
jobs:
- job: make
  steps:
  - checkout: none
  - bash: |
      mkdir -p out/deep
      echo "the model" > out/deep/model.txt
      : > out/empty
      ln -s /etc/passwd out/link
      echo report > report.txt
  - publish: out
    artifact: model
  - publish: $(Build.SourcesDirectory)/report.txt
    artifact: report
- job: use
  dependsOn: make
  steps:
  - checkout: none
  - download: current
    artifact: model
  - bash: cat "$PIPELINE_WORKSPACE/model/deep/model.txt"; test -e "$PIPELINE_WORKSPACE/model/empty"; test ! -e "$PIPELINE_WORKSPACE/model/link"
- job: again
  dependsOn: use
  continueOnError: true
  steps:
  - checkout: none
  - publish: .
    artifact: model
`, nil)
	o.pipeline("consumer", `
resources: {pipelines: [{pipeline: up, source: producer}]}
steps:
- checkout: none
- download: up
  artifact: report
- bash: cat "$PIPELINE_WORKSPACE/up/report/report.txt"
- download: up
  artifact: nothing
`, nil)
	early := o.queue("consumer", devops.RunSpec{})
	if all := o.describe(early.ID); !strings.Contains(all, "no run to download from") {
		t.Errorf("a resource without a run that succeeded:\n%s", all)
	}
	made := o.queue("producer", devops.RunSpec{})
	all := o.describe(made.ID)
	if results := o.results(made.ID); results["__default.use"] != wire.ResultSucceeded || results["__default.again"] != wire.ResultFailed {
		t.Errorf("the results are %v:\n%s", results, all)
	}
	for _, want := range []string{"the model", "published 2 files as model", "link is not a file and not published", "another job of the run has published an artifact model"} {
		if !strings.Contains(all, want) {
			t.Errorf("lacks %q:\n%s", want, all)
		}
	}
	used := o.queue("consumer", devops.RunSpec{})
	if all := o.describe(used.ID); !strings.Contains(all, "\nreport\n") || !strings.Contains(all, "has no artifact nothing") {
		t.Errorf("another pipeline's run:\n%s", all)
	}
}
