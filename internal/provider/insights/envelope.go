package insights

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode"
)

// envelope is what all telemetry has in common.
type envelope struct {
	Name string            `json:"name"`
	Time string            `json:"time"`
	IKey string            `json:"iKey"`
	Tags map[string]string `json:"tags"`
	Data struct {
		BaseType string          `json:"baseType"`
		BaseData json.RawMessage `json:"baseData"`
	} `json:"data"`
}

// tables are where telemetry of each kind is kept.
var tables = map[string]string{
	"RequestData":          "requests",
	"RemoteDependencyData": "dependencies",
	"MessageData":          "traces",
	"ExceptionData":        "exceptions",
	"MetricData":           "customMetrics",
	"EventData":            "customEvents",
	"AvailabilityData":     "availabilityResults",
	"PageViewData":         "pageViews",
}

// Limits of one request.
const (
	maxItems    = 10_000
	maxItemSize = 64 << 10
)

var errTooMany = fmt.Errorf("there are more than %d items", maxItems)

// split reads the items of a body: a JSON array, or objects one after another.
func split(body []byte) ([]json.RawMessage, error) {
	body = bytes.TrimLeftFunc(body, unicode.IsSpace)
	if bytes.HasPrefix(body, []byte("[")) {
		var out []json.RawMessage
		if err := json.Unmarshal(body, &out); err != nil {
			return nil, fmt.Errorf("the body is not a JSON array: %w", err)
		}
		if len(out) > maxItems {
			return nil, errTooMany
		}
		return out, nil
	}
	var out []json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(body))
	for {
		var one json.RawMessage
		if err := dec.Decode(&one); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("item %d is not JSON: %w", len(out), err)
		}
		if out = append(out, one); len(out) > maxItems {
			return nil, errTooMany
		}
	}
}

// parse reads an item and says where it is kept.
func parse(raw json.RawMessage) (e envelope, table string, at time.Time, err error) {
	if len(raw) > maxItemSize {
		return e, "", at, fmt.Errorf("the item has more than %d bytes", maxItemSize)
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, "", at, fmt.Errorf("the item is not an envelope: %w", err)
	}
	table, ok := tables[e.Data.BaseType]
	if !ok {
		return e, "", at, fmt.Errorf("data.baseType %q is not known", e.Data.BaseType)
	}
	if len(e.Data.BaseData) == 0 || e.Data.BaseData[0] != '{' {
		return e, "", at, errors.New("data.baseData is missing")
	}
	at, err = time.Parse(time.RFC3339Nano, e.Time)
	if err != nil {
		return e, "", at, fmt.Errorf("time %q is not a time", e.Time)
	}
	if at.Year() < 1970 || at.Year() > 9999 {
		return e, "", at, fmt.Errorf("time %q is out of range", e.Time)
	}
	return e, table, at.UTC(), nil
}
