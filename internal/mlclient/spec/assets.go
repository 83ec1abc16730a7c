package spec

import (
	"path/filepath"
	"strings"
)

// Environment is what an environment's image is made from.
type Environment struct {
	Name, Version, Description, Image string
	Conda                             string // text of the conda file
	Build                             Path   // folder of the build context
	Dockerfile                        string
	Tags                              map[string]string
}

// EnvironmentRef is a name, or an environment that is written out.
type EnvironmentRef struct {
	Reference string // azureml:name:version
	Inline    *Environment
}

func readEnvironmentRef(v value) EnvironmentRef {
	if v.isMap() {
		e := readEnvironment(v)
		return EnvironmentRef{Inline: &e}
	}
	text := v.text()
	name, isFile := strings.CutPrefix(text, "file:")
	p := Path{name, v.f.dir()}
	switch {
	case isFile || p.Local() && isYAML(name):
		e, err := ReadEnvironment(p.File())
		if err != nil {
			v.problem("environment: %v", err)
			return EnvironmentRef{}
		}
		return EnvironmentRef{Inline: &e}
	case p.Local():
		v.problem("environment: %q is neither azureml:NAME:VERSION nor a file; did you mean %q?", text, "azureml:"+text)
	}
	return EnvironmentRef{Reference: text}
}

func isYAML(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yml" || ext == ".yaml"
}

// ReadEnvironment reads an environment's file.
func ReadEnvironment(path string, changes ...Change) (Environment, error) {
	f, v, err := open(path, changes)
	if err != nil {
		return Environment{}, err
	}
	e := readEnvironment(v)
	return e, f.result()
}

func readEnvironment(v value) Environment {
	fields := v.fields("an environment", "$schema", "name", "version", "description", "tags", "properties", "image", "conda_file", "build", "inference_config", "os_type", "creation_context")
	e := Environment{
		Name: fields["name"].opt(), Version: fields["version"].opt(), Description: fields["description"].opt(), Image: fields["image"].opt(),
		Tags: fields["tags"].optTexts(),
	}
	if c, ok := fields["conda_file"]; ok && c.ok() {
		e.Conda = readConda(c)
	}
	if b, ok := fields["build"]; ok && b.ok() {
		build := b.fields("build", "path", "dockerfile_path")
		e.Build = Path{b.need(build, "build", "path"), v.f.dir()}
		e.Dockerfile = build["dockerfile_path"].opt()
	}
	switch {
	case e.Image == "" && e.Build.Text == "":
		v.problem("an environment needs the field %q, or %q", "image", "build")
	case e.Image != "" && e.Build.Text != "":
		v.problem("an environment has an image or a build, not both")
	}
	return e
}

// readConda reads a conda file, or one that is written out.
func readConda(v value) string {
	if v.isMap() {
		text, err := dump(v.node())
		if err != nil {
			v.problem("conda_file: %v", err)
		}
		return text
	}
	p := Path{strings.TrimPrefix(v.text(), "file:"), v.f.dir()}
	data, err := readBounded(p.File())
	if err != nil {
		v.problem("conda_file: %v", err)
	}
	return string(data)
}

// Asset is a data asset or a model.
type Asset struct {
	Name, Version, Description, Type string
	Path                             Path
	Tags                             map[string]string
}

// ReadData reads a data asset's file.
func ReadData(path string, changes ...Change) (Asset, error) {
	return readAsset(path, "a data asset", []string{"uri_folder", "uri_file", "mltable"}, changes)
}

// ReadModel reads a model's file.
func ReadModel(path string, changes ...Change) (Asset, error) {
	return readAsset(path, "a model", []string{"custom_model", "mlflow_model", "triton_model"}, changes)
}

func readAsset(path, what string, types []string, changes []Change) (Asset, error) {
	f, v, err := open(path, changes)
	if err != nil {
		return Asset{}, err
	}
	fields := v.fields(what, "$schema", "name", "version", "description", "tags", "properties", "path", "type", "flavors", "stage")
	a := Asset{
		Name: v.need(fields, what, "name"), Version: fields["version"].opt(), Description: fields["description"].opt(),
		Path: Path{strings.TrimPrefix(v.need(fields, what, "path"), "file:"), f.dir()}, Type: fields["type"].optOneOf(types...), Tags: fields["tags"].optTexts(),
	}
	return a, f.result()
}
