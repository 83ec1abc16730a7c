package mlflow

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

// maxBody is what one request may send; MLflow's own limit on a batch is 1 MB.
const maxBody = 4 << 20

// apiError is an error as MLflow answers it.
type apiError struct {
	status int
	code   string
	text   string
}

func (e *apiError) Error() string { return e.code + ": " + e.text }

func invalid(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, "INVALID_PARAMETER_VALUE", fmt.Sprintf(format, args...)}
}

func missing(format string, args ...any) error {
	return &apiError{http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", fmt.Sprintf(format, args...)}
}

func exists(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", fmt.Sprintf(format, args...)}
}

func writeError(w http.ResponseWriter, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{http.StatusInternalServerError, "INTERNAL_ERROR", "the request could not be carried out"}
	}
	writeJSON(w, e.status, map[string]string{"error_code": e.code, "message": e.text})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone: nothing to be done
}

const api = "/api/2.0/mlflow/"

func (s *Store) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle(mux, "POST experiments/create", s.createExperiment)
	handle(mux, "GET experiments/get", s.getExperiment)
	handle(mux, "GET experiments/get-by-name", s.getExperimentByName)
	handle(mux, "GET experiments/search", s.searchExperiments)
	handle(mux, "POST experiments/search", s.searchExperiments)
	handle(mux, "POST experiments/update", s.updateExperiment)
	handle(mux, "POST experiments/delete", s.deleteExperiment)
	handle(mux, "POST experiments/restore", s.restoreExperiment)
	handle(mux, "POST experiments/set-experiment-tag", s.setExperimentTag)

	handle(mux, "POST runs/create", s.createRun)
	handle(mux, "GET runs/get", s.getRun)
	handle(mux, "POST runs/update", s.updateRun)
	handle(mux, "POST runs/delete", s.deleteRun)
	handle(mux, "POST runs/restore", s.restoreRun)
	handle(mux, "POST runs/search", s.searchRuns)
	handle(mux, "POST runs/log-metric", s.logMetric)
	handle(mux, "POST runs/log-parameter", s.logParam)
	handle(mux, "POST runs/log-batch", s.logBatch)
	handle(mux, "POST runs/set-tag", s.setTag)
	handle(mux, "POST runs/delete-tag", s.deleteTag)
	handle(mux, "GET metrics/get-history", s.metricHistory)
	handle(mux, "GET artifacts/list", s.listArtifacts)

	// Logged models (MLflow 3) are not made here, so there are none to find.
	handle(mux, "POST logged-models/search", func(*http.Request, struct{}) (any, error) { return map[string]any{"models": []any{}}, nil })

	handle(mux, "POST registered-models/create", s.createModel)
	handle(mux, "GET registered-models/get", s.getModel)
	handle(mux, "GET registered-models/search", s.searchModels)
	handle(mux, "PATCH registered-models/update", s.updateModel)
	handle(mux, "POST registered-models/rename", s.renameModel)
	handle(mux, "DELETE registered-models/delete", s.deleteModel)
	handle(mux, "GET registered-models/get-latest-versions", s.latestVersions)
	handle(mux, "POST registered-models/get-latest-versions", s.latestVersions)
	handle(mux, "POST registered-models/set-tag", s.setModelTag)
	handle(mux, "DELETE registered-models/delete-tag", s.deleteModelTag)
	handle(mux, "POST registered-models/alias", s.setAlias)
	handle(mux, "GET registered-models/alias", s.getAlias)
	handle(mux, "DELETE registered-models/alias", s.deleteAlias)

	handle(mux, "POST model-versions/create", s.createVersion)
	handle(mux, "GET model-versions/get", s.getVersion)
	handle(mux, "GET model-versions/search", s.searchVersions)
	handle(mux, "PATCH model-versions/update", s.updateVersion)
	handle(mux, "POST model-versions/transition-stage", s.transitionStage)
	handle(mux, "DELETE model-versions/delete", s.deleteVersion)
	handle(mux, "GET model-versions/get-download-uri", s.downloadURI)
	handle(mux, "POST model-versions/set-tag", s.setVersionTag)
	handle(mux, "DELETE model-versions/delete-tag", s.deleteVersionTag)

	mux.HandleFunc("GET /api/2.0/mlflow-artifacts/artifacts", s.proxyList)
	mux.HandleFunc("/api/2.0/mlflow-artifacts/artifacts/{path...}", s.proxy)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, &apiError{http.StatusNotFound, "ENDPOINT_NOT_FOUND", "there is no " + r.Method + " " + r.URL.Path + " here"})
	})
	return mux
}

// handle routes "METHOD path" to f, whose request is read from the body, or for
// GET from the query.
func handle[Req, Resp any](mux *http.ServeMux, route string, f func(r *http.Request, req Req) (Resp, error)) {
	method, path, _ := strings.Cut(route, " ")
	mux.HandleFunc(method+" "+api+path, func(w http.ResponseWriter, r *http.Request) {
		var req Req
		if err := read(r, &req); err != nil {
			writeError(w, err)
			return
		}
		resp, err := f(r, req)
		if err != nil {
			writeError(w, err)
			return
		}
		writeJSON(w, http.StatusOK, resp)
	})
}

// empty is a request or an answer without fields.
type empty struct{}

func read(r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return &apiError{http.StatusRequestEntityTooLarge, "INVALID_PARAMETER_VALUE", fmt.Sprintf("a request may have at most %d bytes", maxBody)}
	}
	if len(body) > 0 {
		if err := json.Unmarshal(body, into); err != nil {
			return invalid("the request is not what was expected: %v", err)
		}
		return nil
	}
	return readQuery(r, reflect.ValueOf(into).Elem())
}

// readQuery fills the fields of a struct of strings, numbers and lists of
// strings from the query, by their JSON names.
func readQuery(r *http.Request, v reflect.Value) error {
	query := r.URL.Query()
	for i := range v.NumField() {
		if v.Type().Field(i).Anonymous {
			if err := readQuery(r, v.Field(i)); err != nil {
				return err
			}
			continue
		}
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if !query.Has(name) {
			continue
		}
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(query.Get(name))
		case reflect.Slice:
			f.Set(reflect.ValueOf(query[name]).Convert(f.Type()))
		case reflect.Int, reflect.Int64:
			n, err := strconv.ParseInt(query.Get(name), 10, 64)
			if err != nil {
				return invalid("%s must be a whole number", name)
			}
			f.SetInt(n)
		}
	}
	return nil
}

// integer is a whole number, which clients write as a number or as a string
// (protocol buffers' JSON mapping of int64).
type integer int64

func (n *integer) UnmarshalJSON(data []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	if err != nil {
		if string(data) == "null" {
			return nil
		}
		return fmt.Errorf("%s is not a whole number", data)
	}
	*n = integer(v)
	return nil
}

// number is a floating point number, which may be NaN or infinite (protocol
// buffers' JSON mapping of double).
type number float64

func (n *number) UnmarshalJSON(data []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(data), `"`), 64)
	if err != nil {
		return fmt.Errorf("%s is not a number", data)
	}
	*n = number(v)
	return nil
}

func (n number) MarshalJSON() ([]byte, error) {
	v := float64(n)
	switch {
	case v != v:
		return []byte(`"NaN"`), nil
	case v > 1.7976931348623157e308:
		return []byte(`"Infinity"`), nil
	case v < -1.7976931348623157e308:
		return []byte(`"-Infinity"`), nil
	}
	return json.Marshal(v)
}
