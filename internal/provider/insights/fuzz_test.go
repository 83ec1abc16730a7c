package insights

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/cloister-ml/cloister/arm"
)

func FuzzTelemetry(f *testing.F) {
	f.Add([]byte(`[{"time":"2026-01-01T00:00:00Z","iKey":"k","data":{"baseType":"MessageData","baseData":{"message":"x"}}}]`))
	f.Add([]byte(`{"time":"2026-01-01T00:00:00Z","data":{"baseType":"ExceptionData","baseData":{"exceptions":[{}]}}}` + "\n{}"))
	f.Add([]byte(`{"time":"2026-01-01T00:00:00Z","data":{"baseType":"RequestData","baseData":{"duration":"1.02:03:04.5"}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		raw, err := split(body)
		if err != nil {
			return
		}
		for _, one := range raw {
			_, table, at, err := parse(one)
			if err != nil {
				continue
			}
			for _, name := range []string{table, ""} {
				cells := row(Item{Component: arm.ID("/x"), Table: table, Time: at, Doc: one}, columnsOf(name))
				if _, err := json.Marshal(cells); err != nil {
					t.Errorf("%s: %v", one, err)
				}
			}
		}
	})
}

func TestMilliseconds(t *testing.T) {
	for text, want := range map[string]any{
		"00:00:00": 0.0, "00:00:01.5": 1500.0, "1.02:03:04": 93_784_000.0, "": nil, "1:2": nil, "a:b:c": nil, "-1:00:00": nil, "NaN:00:00": nil, "Inf:0:0": nil,
	} {
		if got := milliseconds(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	if got := severity("Critical"); got != 4 {
		t.Errorf("got %v", got)
	}
	if _, err := parseQuestion(json.RawMessage(`{"since":"2026-01-01T00:00:00Z"}`), time.Now()); err != nil {
		t.Error(err)
	}
}
