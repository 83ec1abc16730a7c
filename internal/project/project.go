package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclparse"
	"go.yaml.in/yaml/v4"
)

// FileName is what the file is called.
const FileName = "cloister.hcl"

// maxFile bounds what is read of one file.
const maxFile = 1 << 20

// Project is a solution. Without a cloister.hcl it is a folder of Terraform and
// nothing else.
type Project struct {
	Dir       string    // absolute
	Terraform string    // folder of the root module, absolute
	Machines  *Machines // nil when the file has no such block; likewise below
	DevOps    *DevOps
	Run       *Run
	Score     *Score
	Premises  []Premises // networks on the premises, which BGP teaches
}

// Machines is what the virtual machines' image holds beyond the base root.
type Machines struct {
	Python string `hcl:"python,optional"` // conda file whose pip packages are installed
}

// DevOps is the organisation's project.
type DevOps struct {
	Organization string     `hcl:"organization"`
	Project      string     `hcl:"project"`
	Repository   string     `hcl:"repository,optional"` // folder that becomes the git repository; default the project's
	Pool         string     `hcl:"pool"`
	Token        string     `hcl:"token"` // Terraform variable that is given the agents' token
	Pipelines    []Pipeline `hcl:"pipeline,block"`
}

// Pipeline is one pipeline of the project.
type Pipeline struct {
	Name string `hcl:"name,label"`
	YAML string `hcl:"yaml"` // in the repository
}

// Run is the main job.
type Run struct {
	Pipeline    string `hcl:"pipeline"`         // is queued
	Then        string `hcl:"then,optional"`    // is triggered by it, and waited for
	TimeoutText string `hcl:"timeout,optional"` // as 20m, the default
	Timeout     time.Duration
}

// Score is the call that the summary makes, and what it is compared with.
type Score struct {
	Endpoint string   `hcl:"endpoint"`
	Model    string   `hcl:"model"`
	From     string   `hcl:"from"`    // virtual machine
	Request  string   `hcl:"request"` // file with the request's body
	Direct   []string `hcl:"direct"`  // command that prints the answer that is expected, run in the project's folder
}

// file is cloister.hcl.
type file struct {
	Terraform string    `hcl:"terraform,optional"`
	Machines  *Machines `hcl:"machines,block"`
	DevOps    *DevOps   `hcl:"devops,block"`
	Run       *Run      `hcl:"run,block"`
	Score     *Score    `hcl:"score,block"`

	Premises []Premises `hcl:"on_premises,block"`
}

// Read reads the project in dir, and holds what its blocks name against what is
// there.
func Read(dir string) (Project, error) {
	p, err := load(dir)
	if err != nil {
		return p, err
	}
	return p, p.check()
}

// TerraformDir is the folder of the root module of the project in dir, whatever
// else its file says.
func TerraformDir(dir string) (string, error) {
	p, err := load(dir)
	return p.Terraform, err
}

func load(dir string) (Project, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Project{}, err
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return Project{}, fmt.Errorf("there is no folder %s", dir)
	}
	p := Project{Dir: abs, Terraform: abs}
	name := filepath.Join(abs, FileName)
	src, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	if len(src) > maxFile {
		return p, fmt.Errorf("%s has more than %d bytes", name, maxFile)
	}
	f, err := decode(src, filepath.Join(dir, FileName))
	if err != nil {
		return p, err
	}
	p.Machines, p.DevOps, p.Run, p.Score, p.Premises = f.Machines, f.DevOps, f.Run, f.Score, f.Premises
	for _, o := range p.Premises {
		if err := o.check(); err != nil {
			return p, fmt.Errorf("%s: on_premises %q %w", name, o.Name, err)
		}
	}
	if f.Terraform != "" {
		p.Terraform = filepath.Join(abs, f.Terraform)
	}
	return p, nil
}

func decode(src []byte, name string) (file, error) {
	var f file
	parsed, diags := hclparse.NewParser().ParseHCL(src, name)
	if !diags.HasErrors() {
		diags = append(diags, gohcl.DecodeBody(parsed.Body, nil, &f)...)
	}
	if diags.HasErrors() {
		d := diags[0]
		for _, other := range diags {
			if other.Severity == hcl.DiagError {
				d = other
				break
			}
		}
		return f, fmt.Errorf("%s: %s", d.Subject, strings.TrimSuffix(d.Summary+"; "+d.Detail, "; "))
	}
	return f, nil
}

// check holds the names and files that the blocks refer to against what is there.
func (p *Project) check() error {
	if d := p.DevOps; d != nil {
		if d.Repository == "" {
			d.Repository = "."
		}
		for _, pl := range d.Pipelines {
			if err := p.exists(filepath.Join(d.Repository, pl.YAML), "the pipeline "+pl.Name); err != nil {
				return err
			}
		}
	}
	if r := p.Run; r != nil {
		for _, name := range []string{r.Pipeline, r.Then} {
			if name != "" && !p.DevOps.has(name) {
				return fmt.Errorf("%s: run names the pipeline %q, which devops does not have", p.name(), name)
			}
		}
		r.Timeout = 20 * time.Minute
		if r.TimeoutText != "" {
			t, err := time.ParseDuration(r.TimeoutText)
			if err != nil || t <= 0 {
				return fmt.Errorf("%s: run.timeout is %q, which is not a duration as 20m", p.name(), r.TimeoutText)
			}
			r.Timeout = t
		}
	}
	if s := p.Score; s != nil {
		if len(s.Direct) == 0 {
			return fmt.Errorf("%s: score.direct is empty; it is the command that prints the expected answer", p.name())
		}
		return p.exists(s.Request, "score.request")
	}
	return nil
}

func (d *DevOps) has(pipeline string) bool {
	if d == nil {
		return false
	}
	for _, p := range d.Pipelines {
		if p.Name == pipeline {
			return true
		}
	}
	return false
}

func (p *Project) name() string { return filepath.Join(p.Dir, FileName) }

func (p *Project) exists(rel, what string) error {
	if !filepath.IsLocal(rel) {
		return fmt.Errorf("%s: %s is at %q, which leads out of the project", p.name(), what, rel)
	}
	if _, err := os.Stat(filepath.Join(p.Dir, rel)); err != nil {
		return fmt.Errorf("%s: %s is at %q, where there is no file", p.name(), what, rel)
	}
	return nil
}

// Requirements are the pip packages of the machines' conda file; none without one.
func (p *Project) Requirements() ([]string, error) {
	if p.Machines == nil || p.Machines.Python == "" {
		return nil, nil
	}
	if !filepath.IsLocal(p.Machines.Python) {
		return nil, fmt.Errorf("%s: machines.python is %q, which leads out of the project", p.name(), p.Machines.Python)
	}
	data, err := os.ReadFile(filepath.Join(p.Dir, p.Machines.Python))
	if err != nil {
		return nil, fmt.Errorf("reading the machines' packages: %w", err)
	}
	return pipPackages(data)
}

// pipPackages are the pip requirements of a conda environment file.
func pipPackages(data []byte) ([]string, error) {
	var conda struct {
		Dependencies []any `yaml:"dependencies"`
	}
	if err := yaml.Unmarshal(data, &conda); err != nil {
		return nil, fmt.Errorf("reading a conda file: %w", err)
	}
	var out []string
	for _, d := range conda.Dependencies {
		group, ok := d.(map[string]any)
		if !ok {
			continue
		}
		list, _ := group["pip"].([]any)
		for _, item := range list {
			if s, ok := item.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out, nil
}
