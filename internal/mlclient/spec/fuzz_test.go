package spec

import "testing"

// FuzzRead: no file, however broken, makes the reader panic or read on and on.
func FuzzRead(f *testing.F) {
	f.Add("type: pipeline\nsettings: {default_compute: azureml:cpu}\ninputs: {raw: {type: uri_file, path: ./raw.csv}, alpha: 0.40}\njobs:\n  a: {component: ./no.yml, inputs: {x: '${{parent.inputs.raw}}'}}\n  b: {command: c, environment: azureml:e:1, outputs: {o: '${{parent.outputs.o}}'}}\n", "inputs.alpha=0.5")
	f.Add("type: command\ncommand: x\nenvironment: {image: y, conda_file: {a: &a [1], b: *a}}\ninputs: {a: {enum: [1], min: x}}\noutputs: {o: 3}\n", "a.0.b={x: [}")
	f.Add("a: &a [*a]\njobs: {<<: {x: y}}\n? [x]\n: 1\n", "jobs.x.inputs=[1]")
	f.Add("name: blue\nmodel: {path: x}\ncode_configuration: {code: src, scoring_script: s}\nenvironment: e\n", "0=1")
	f.Fuzz(func(t *testing.T, text, change string) {
		var changes []Change
		if c, err := ParseChange(change); err == nil {
			changes = append(changes, c)
		}
		read := func(read func(v value)) {
			if _, v, err := parse("/nowhere/file.yml", []byte(text), changes); err == nil {
				read(v)
			}
		}
		read(func(v value) {
			j := readJob(v)
			for _, s := range j.Steps {
				for _, in := range s.Inputs {
					j.TypeOf(in)
				}
			}
		})
		read(func(v value) { readComponent(v) })
		read(func(v value) { readEnvironment(v) })
		read(func(v value) { readDeployment(v) })
	})
}
