package spec

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// Endpoint is an online endpoint.
type Endpoint struct {
	Name, Description, AuthMode string
	PublicNetworkAccess         string
	Traffic                     map[string]int
	Tags                        map[string]string
}

// ReadEndpoint reads an online endpoint's file.
func ReadEndpoint(path string, changes ...Change) (Endpoint, error) {
	f, v, err := open(path, changes)
	if err != nil {
		return Endpoint{}, err
	}
	const what = "an online endpoint"
	fields := v.fields(what, "$schema", "name", "description", "auth_mode", "public_network_access", "traffic", "mirror_traffic", "tags", "properties", "identity", "compute")
	e := Endpoint{
		Name: fields["name"].opt(), Description: fields["description"].opt(), AuthMode: fields["auth_mode"].optOneOf("key", "aml_token", "aad_token"),
		PublicNetworkAccess: fields["public_network_access"].optOneOf("", "enabled", "disabled", "Enabled", "Disabled"), Tags: fields["tags"].optTexts(),
	}
	for _, name := range []string{"mirror_traffic", "compute"} {
		if m, ok := fields[name]; ok && m.ok() {
			m.problem("%s is not for endpoints of this cloud", name)
		}
	}
	if t, ok := fields["traffic"]; ok && t.ok() {
		names, values := t.entries()
		e.Traffic = make(map[string]int, len(names))
		for _, name := range names {
			e.Traffic[name] = values[name].integer()
		}
	}
	return e, f.result()
}

// Deployment is a managed online deployment.
type Deployment struct {
	Name, EndpointName, Description  string
	Model                            *Asset // written out or a local path
	ModelRef                         string // azureml:name:version
	Code                             Path
	ScoringScript                    string
	Environment                      EnvironmentRef
	InstanceType                     string
	Egress                           string // enabled or disabled: its way out by the internet
	InstanceCount                    int
	Env, Tags                        map[string]string
	MaxConcurrent                    int
	RequestTimeoutMS, MaxQueueWaitMS int
}

// ReadDeployment reads an online deployment's file.
func ReadDeployment(path string, changes ...Change) (Deployment, error) {
	f, v, err := open(path, changes)
	if err != nil {
		return Deployment{}, err
	}
	d := readDeployment(v)
	return d, f.result()
}

func readDeployment(v value) Deployment {
	const what = "an online deployment"
	fields := v.fields(what, "$schema", "name", "endpoint_name", "description", "model", "code_configuration", "environment", "instance_type", "instance_count",
		"environment_variables", "tags", "properties", "request_settings", "liveness_probe", "readiness_probe", "scale_settings", "app_insights_enabled",
		"egress_public_network_access", "type", "model_mount_path", "data_collector")
	d := Deployment{
		Name: fields["name"].opt(), EndpointName: fields["endpoint_name"].opt(), Description: fields["description"].opt(),
		InstanceType: fields["instance_type"].opt(), InstanceCount: fields["instance_count"].integer(),
		Env: fields["environment_variables"].optTexts(), Tags: fields["tags"].optTexts(),
	}
	if t, ok := fields["type"]; ok {
		t.oneOf("managed")
	}
	d.Egress = fields["egress_public_network_access"].optOneOf("enabled", "disabled")
	if m, ok := fields["model"]; ok && m.ok() {
		d.readModel(m)
	} else {
		v.problem("%s needs the field %q", what, "model")
	}
	if c, ok := fields["code_configuration"]; ok && c.ok() {
		code := c.fields("code_configuration", "code", "scoring_script")
		d.Code = Path{c.need(code, "code_configuration", "code"), v.f.dir()}
		d.ScoringScript = c.need(code, "code_configuration", "scoring_script")
	} else {
		v.problem("%s needs the field %q", what, "code_configuration")
	}
	if e, ok := fields["environment"]; ok && e.ok() {
		d.Environment = readEnvironmentRef(e)
	} else {
		v.problem("%s needs the field %q", what, "environment")
	}
	if r, ok := fields["request_settings"]; ok && r.ok() {
		req := r.fields("request_settings", "request_timeout_ms", "max_concurrent_requests_per_instance", "max_queue_wait_ms")
		d.RequestTimeoutMS, d.MaxConcurrent, d.MaxQueueWaitMS = req["request_timeout_ms"].integer(), req["max_concurrent_requests_per_instance"].integer(), req["max_queue_wait_ms"].integer()
	}
	return d
}

func (d *Deployment) readModel(v value) {
	if !v.isMap() {
		text := v.text()
		if p := (Path{strings.TrimPrefix(text, "file:"), v.f.dir()}); p.Local() {
			d.Model = &Asset{Path: p, Type: "custom_model"}
			return
		}
		d.ModelRef = text
		return
	}
	fields := v.fields("a model", "name", "version", "path", "type", "description", "tags", "properties", "flavors")
	d.Model = &Asset{
		Name: fields["name"].opt(), Version: fields["version"].opt(), Type: fields["type"].optOneOf("custom_model", "mlflow_model"),
		Path: Path{v.need(fields, "a model", "path"), v.f.dir()}, Tags: fields["tags"].optTexts(), Description: fields["description"].opt(),
	}
}

func dump(n *yaml.Node) (string, error) {
	out, err := yaml.Marshal(n)
	return string(out), err
}
