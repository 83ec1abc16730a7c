package agent

import "strings"

// command is a logging command in a step's output:
//
//	##vso[task.setvariable variable=X;isOutput=true]value
type command struct {
	name       string // task.setvariable, lower case
	properties map[string]string
	data       string
}

const commandPrefix = "##vso["

// parseCommand reads the command of a line, wherever in the line it begins.
func parseCommand(line string) (command, bool) {
	start := strings.Index(line, commandPrefix)
	if start < 0 {
		return command{}, false
	}
	inside, data, ok := strings.Cut(line[start+len(commandPrefix):], "]")
	if !ok {
		return command{}, false
	}
	name, list, _ := strings.Cut(strings.TrimSpace(inside), " ")
	area, event, ok := strings.Cut(name, ".")
	if !ok || area == "" || event == "" {
		return command{}, false
	}
	c := command{name: strings.ToLower(name), properties: map[string]string{}, data: unescape(data)}
	for _, pair := range strings.Split(list, ";") {
		if key, value, ok := strings.Cut(pair, "="); ok {
			c.properties[strings.ToLower(strings.TrimSpace(key))] = unescape(value)
		}
	}
	return c, true
}

var unescaper = strings.NewReplacer("%3B", ";", "%0D", "\r", "%0A", "\n", "%5D", "]", "%AZP25", "%", "%25", "%")

func unescape(s string) string { return unescaper.Replace(s) }

func (c command) flag(name string) bool { return strings.EqualFold(c.properties[name], "true") }
