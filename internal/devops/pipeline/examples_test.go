package pipeline_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cloister-ml/cloister/internal/devops/pipeline"
)

// The example's pipelines are read without a fault.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../../examples/*/pipelines/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := pipeline.Read(file, text, pipeline.Inputs{})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if testing.Verbose() {
			t.Log("\n" + summary(p))
		}
	}
}
