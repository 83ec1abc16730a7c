package project

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadExample(t *testing.T) {
	p, err := Read("../../examples/secure-mlops")
	if err != nil {
		t.Fatal(err)
	}
	if p.Run.Pipeline != "train" || p.Run.Then != "deploy" || p.Run.Timeout != 20*time.Minute || p.DevOps.Token != "agent_token" {
		t.Errorf("got %+v %+v", p.Run, p.DevOps)
	}
	packages, err := p.Requirements()
	if err != nil || len(packages) != 2 || !strings.HasPrefix(packages[0], "scikit-learn==") {
		t.Errorf("the machines have %v, error %v", packages, err)
	}
}

func TestWithoutFileAFolderIsTerraform(t *testing.T) {
	dir := folder(t, map[string]string{"main.tf": ""})
	p, err := Read(dir)
	if err != nil || p.Terraform != dir || p.DevOps != nil {
		t.Errorf("got %+v, error %v", p, err)
	}
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	devops := "devops {\n organization = \"o\"\n project = \"p\"\n pool = \"q\"\n token = \"t\"\n pipeline \"train\" { yaml = \"train.yml\" }\n}\n"
	tests := []struct{ name, hcl, want string }{
		{"broken", "terraform = \n", FileName + ":1"},
		{"unknown argument", "terrafrom = \"x\"\n", "Unsupported argument"},
		{"a missing argument", "run {}\n", "\"pipeline\" is required"},
		{"a pipeline without file", strings.Replace(devops, "train.yml", "no.yml", 1), "no file"},
		{"a pipeline outside", strings.Replace(devops, "train.yml", "../../x.yml", 1), "leads out of the project"},
		{"a run of no pipeline", devops + "run {\n pipeline = \"deploy\"\n}\n", `"deploy", which devops does not have`},
		{"a bad duration", devops + "run {\n pipeline = \"train\"\n timeout = \"soon\"\n}\n", "not a duration"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(folder(t, map[string]string{FileName: tt.hcl, "train.yml": ""}))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := Read("/no/such/folder"); err == nil || !strings.Contains(err.Error(), "no folder") {
		t.Errorf("error %v for a folder that is not there", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("terraform = \"x\"\nrun {\n pipeline = \"a\"\n}\n"))
	f.Fuzz(func(_ *testing.T, src []byte) {
		_, _ = decode(src, FileName)
		_, _ = pipPackages(src)
	})
}

func TestPremises(t *testing.T) {
	tests := []struct{ name, block, wrong string }{
		{"behind a circuit", `circuit = "er" 
 prefixes = ["192.168.0.0/16"]`, ""},
		{"behind a VPN connection", `local_network_gateway = "office" 
 prefixes = ["192.168.0.0/16"] 
 asn = 65010`, ""},
		{"behind nothing", `prefixes = ["192.168.0.0/16"]`, "needs either circuit or local_network_gateway"},
		{"behind both", `circuit = "er" 
 local_network_gateway = "office" 
 prefixes = ["192.168.0.0/16"]`, "needs either circuit"},
		{"nothing there", `circuit = "er" 
 prefixes = []`, "needs prefixes"},
		{"an address inside", `circuit = "er" 
 prefixes = ["192.168.0.1/16"]`, "192.168.0.0/16 is the beginning"},
		{"no prefix", `circuit = "er" 
 prefixes = ["office"]`, "is not as 192.168.0.0/16"},
		{"everything", `circuit = "er" 
 prefixes = ["0.0.0.0/0"]`, "not supported"},
		{"an AS number of five octets", `circuit = "er" 
 prefixes = ["192.168.0.0/16"] 
 asn = 4294967296`, "AS number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, FileName), []byte("on_premises \"hq\" {\n"+tt.block+"\n}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			list, err := ReadPremises(dir)
			switch {
			case tt.wrong == "" && (err != nil || len(list) != 1 || list[0].Name != "hq"):
				t.Errorf("read %v, %v", list, err)
			case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
				t.Errorf("the error is %v, and should say %q", err, tt.wrong)
			}
		})
	}
}
