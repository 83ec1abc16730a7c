package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cloister": func() { os.Exit(run()) }})
}

// TestScripts runs testdata/*.txtar. Beside testscript's own commands they have:
//
//	example DIR                      copies the Terraform of examples/secure-mlops to DIR
//	tf-drop FILE TYPE LABEL...       takes a block out of a Terraform file
//	tf-set FILE ATTR VALUE TYPE LABEL...  sets an attribute of a block
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TEMPLATES", templateDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"example": copyExample, "tf-drop": dropBlock, "tf-set": setAttribute,
		},
	})
}

var exampleDir, _ = filepath.Abs("../../examples/secure-mlops/terraform")

// templateDir holds the ARM templates that the reader's own tests read.
var templateDir, _ = filepath.Abs("../../source/template/testdata")

func copyExample(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: example DIR")
	}
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(exampleDir)))
}

// onFile changes one Terraform file.
func onFile(ts *testscript.TestScript, name string, change func(*hclwrite.Body)) {
	path := ts.MkAbs(name)
	src, err := os.ReadFile(path)
	ts.Check(err)
	f, diags := hclwrite.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		ts.Fatalf("%s: %s", name, diags.Error())
	}
	change(f.Body())
	ts.Check(os.WriteFile(path, f.Bytes(), 0o600))
}

func dropBlock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: tf-drop FILE TYPE LABEL...")
	}
	onFile(ts, args[0], func(body *hclwrite.Body) {
		if !body.RemoveBlock(body.FirstMatchingBlock(args[1], args[2:])) {
			ts.Fatalf("%s has no block %v", args[0], args[1:])
		}
	})
}

func setAttribute(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: tf-set FILE ATTR VALUE TYPE LABEL...")
	}
	tokens, diags := hclsyntax.LexExpression([]byte(args[2]), "value", hcl.InitialPos)
	if diags.HasErrors() {
		ts.Fatalf("%s: %s", args[2], diags.Error())
	}
	var value hclwrite.Tokens
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenEOF {
			value = append(value, &hclwrite.Token{Type: t.Type, Bytes: t.Bytes, SpacesBefore: 1})
		}
	}
	onFile(ts, args[0], func(body *hclwrite.Body) {
		block := body.FirstMatchingBlock(args[3], args[4:])
		if block == nil {
			ts.Fatalf("%s has no block %v", args[0], args[3:])
		}
		block.Body().SetAttributeRaw(args[1], value)
	})
}
