package insights

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

// column is a column of a table: its name and type in Azure's schema, and where
// in an item its value is, as a path from baseData.
type column struct {
	name, typ string
	path      string
}

// Columns that every table has.
var commonColumns = []column{
	{"itemType", "string", "#table"},
	{"customDimensions", "dynamic", "properties"},
	{"operation_Name", "string", "#tag ai.operation.name"},
	{"operation_Id", "string", "#tag ai.operation.id"},
	{"operation_ParentId", "string", "#tag ai.operation.parentId"},
	{"cloud_RoleName", "string", "#tag ai.cloud.role"},
	{"cloud_RoleInstance", "string", "#tag ai.cloud.roleInstance"},
}

var timestamp = column{"timestamp", "datetime", "#time"}

// ownColumns are those of each table alone.
var ownColumns = map[string][]column{
	"traces": {{"message", "string", "message"}, {"severityLevel", "int", "severityLevel"}},
	"requests": {
		{"id", "string", "id"}, {"name", "string", "name"}, {"url", "string", "url"}, {"success", "bool", "success"},
		{"resultCode", "string", "responseCode"}, {"duration", "real", "duration"},
	},
	"dependencies": {
		{"id", "string", "id"}, {"name", "string", "name"}, {"target", "string", "target"}, {"type", "string", "type"}, {"data", "string", "data"},
		{"success", "bool", "success"}, {"resultCode", "string", "resultCode"}, {"duration", "real", "duration"},
	},
	"exceptions": {
		{"type", "string", "exceptions.0.typeName"}, {"outerMessage", "string", "exceptions.0.message"},
		{"severityLevel", "int", "severityLevel"}, {"details", "dynamic", "exceptions"},
	},
	"customMetrics": {
		{"name", "string", "metrics.0.name"}, {"value", "real", "metrics.0.value"}, {"valueCount", "int", "metrics.0.count"},
		{"valueMin", "real", "metrics.0.min"}, {"valueMax", "real", "metrics.0.max"}, {"valueStdDev", "real", "metrics.0.stdDev"},
	},
	"customEvents": {{"name", "string", "name"}, {"customMeasurements", "dynamic", "measurements"}},
	"availabilityResults": {
		{"id", "string", "id"}, {"name", "string", "name"}, {"location", "string", "runLocation"}, {"success", "bool", "success"},
		{"message", "string", "message"}, {"duration", "real", "duration"},
	},
	"pageViews": {{"name", "string", "name"}, {"url", "string", "url"}, {"duration", "real", "duration"}},
	// All tables at once: what a person wants to see of each item.
	"": {{"message", "string", "#summary"}, {"severityLevel", "int", "severityLevel"}},
}

// summaries are the paths whose first value stands for an item.
var summaries = []string{"message", "exceptions.0.message", "metrics.0.name", "name"}

func columnsOf(table string) []column {
	out := append([]column{timestamp}, ownColumns[table]...)
	return append(out, commonColumns...)
}

// row is an item as a row of those columns.
func row(i Item, columns []column) []any {
	var e envelope
	var base arm.Object
	if json.Unmarshal(i.Doc, &e) == nil {
		_ = json.Unmarshal(e.Data.BaseData, &base) // a part that is of another shape is empty
	}
	out := make([]any, len(columns))
	for n, c := range columns {
		out[n] = cell(i, e, base, c)
	}
	return out
}

func cell(i Item, e envelope, base arm.Object, c column) any {
	switch {
	case c.path == "#time":
		return i.Time.Format(time.RFC3339Nano)
	case c.path == "#table":
		if i.Table == "dependencies" {
			return "dependency"
		}
		return strings.TrimSuffix(i.Table, "s")
	case c.path == "#summary":
		for _, path := range summaries {
			if text := arm.String(base, path); text != "" {
				return text
			}
		}
		return nil
	case strings.HasPrefix(c.path, "#tag "):
		if v, ok := e.Tags[strings.TrimPrefix(c.path, "#tag ")]; ok {
			return v
		}
		return nil
	}
	v, _ := arm.Lookup(base, c.path)
	switch c.name {
	case "severityLevel":
		return severity(v)
	case "duration":
		return milliseconds(v)
	}
	if c.typ == "dynamic" && v != nil {
		text, err := json.Marshal(v) // as Azure's API gives dynamic values
		if err != nil {
			return nil
		}
		return string(text)
	}
	return v
}

var severities = []string{"verbose", "information", "warning", "error", "critical"}

// severity is a level as a number; newer clients send its name.
func severity(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	for n, name := range severities {
		if strings.EqualFold(text, name) {
			return n
		}
	}
	return nil
}

// milliseconds reads a duration written as [d.]hh:mm:ss[.fraction].
func milliseconds(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return nil
	}
	days, hours, hasDays := strings.Cut(parts[0], ".")
	if !hasDays {
		days, hours = "0", parts[0]
	}
	var total float64
	for n, unit := range []struct {
		text  string
		scale float64
	}{{days, 86_400_000}, {hours, 3_600_000}, {parts[1], 60_000}, {parts[2], 1000}} {
		value, err := strconv.ParseFloat(unit.text, 64)
		if err != nil || value < 0 || (n < 3 && value != float64(int(value))) {
			return nil
		}
		total += value * unit.scale
	}
	return total
}
