package require

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/check"
)

func TestRequire(t *testing.T) {
	s, err := Parse([]byte(`
require "agents reach the registry" {
  from     = { role = "agent" }
  to       = "crmlops"
  port     = 8443
  protocol = "udp"
  must_not = true
  severity = "low"
}
disable "zone-linked" {
  resource = "privatelink.azurecr.io"
  reason   = "ticket 3"
}
severity "nsg-rule-has-effect" { level = "high" }
`), "own.require.hcl")
	if err != nil {
		t.Fatal(err)
	}
	a := s.Asks[0]
	if a.Name != "agents reach the registry" || a.From.Role != "agent" || a.To.Any != "crmlops" || a.Port != 8443 || a.Protocol != "Udp" || a.Must || a.Severity != check.Low {
		t.Errorf("the requirement is %+v", a)
	}
	if a.At != (check.At{File: "own.require.hcl", Line: 2}) {
		t.Errorf("it is written at %v", a.At)
	}
	d := s.Disables[0]
	if d.Rule != "zone-linked" || d.On.Any != "privatelink.azurecr.io" || d.Reason != "ticket 3" {
		t.Errorf("the switch is %+v", d)
	}
	if s.Severities["nsg-rule-has-effect"] != check.High {
		t.Errorf("the severities are %v", s.Severities)
	}
}

func TestWhatIsWrongIsSaidWithItsLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`x = 1`, "own.require.hcl:1: x is not known here"},
		{`requires "a" {}`, "own.require.hcl:1: there is no block requires; did you mean require?"},
		{`require {}`, "own.require.hcl:1: require has one label"},
		{"require \"a\" {\n to = \"b\"\n}", `own.require.hcl:1: require "a" says no from`},
		{"require \"a\" {\n from = \"b\"\n to = \"c\"\n port = 70000\n}", "own.require.hcl:4: port is a whole number from 1 to 65535"},
		{"require \"a\" {\n from = \"b\"\n to = \"c\"\n protocol = \"sctp\"\n}", `own.require.hcl:4: protocol is tcp, udp or icmp, not "sctp"`},
		{"require \"a\" {\n from = { nam = \"b\" }\n to = \"c\"\n}", "own.require.hcl:2: from cannot be chosen by nam; did you mean name?"},
		{"require \"a\" {\n from = var.x\n to = \"c\"\n}", "own.require.hcl:2: from: Variables may not be used here"},
		{"require \"a\" {\n from = \"\"\n to = \"c\"\n}", "own.require.hcl:2: from is empty"},
		{"require \"a\" {\n from = \"b\"\n to = \"c\"\n must = true\n must_not = true\n}", "says must and must_not"},
		{"require \"a\" {\n from {\n name = \"b\"\n}\n to = \"c\"\n}", "require takes no block from; write from = {...}"},
		{`disable "zone-linked" {}`, `disable "zone-linked" gives no reason`},
		{"severity \"zone-linkd\" {\n level = \"high\"\n}", "there is no rule zone-linkd; did you mean zone-linked?"},
		{"severity \"zone-linked\" {\n level = \"worst\"\n}", `level is critical, high, medium or low, not "worst"`},
		{`require "a" {`, "own.require.hcl:1: "},
	} {
		_, err := Parse([]byte(c.text), "own.require.hcl")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: the error is %v, want %q", c.text, err, c.want)
		}
	}
}

func TestDirReadsItsFilesInOrder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"b.require.hcl": `severity "zone-linked" { level = "low" }`,
		"a.require.hcl": `severity "zone-linked" { level = "high" }`,
		"other.hcl":     `nonsense`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Dir(dir)
	if err != nil || s.Severities["zone-linked"] != check.Low {
		t.Errorf("the severities are %v, %v", s.Severities, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "c.require.hcl"), make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Dir(dir); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a file that is too large is read: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`require "a" { from = "b" }`)
	f.Add(`disable "x" { reason = "${1/0}" }`)
	f.Add(`require "a" { from = { name = null }, port = 1e99 }`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse([]byte(text), "x.require.hcl")
		for _, d := range s.Disables {
			if err == nil && d.Reason == "" {
				t.Errorf("%q switches off without a reason", text)
			}
		}
	})
}
