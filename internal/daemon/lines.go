package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// line is one line of an answer that goes on for a while: an item, or why there are
// no more.
type line[T any] struct {
	Item  *T     `json:"item,omitempty"`
	Error string `json:"error,omitempty"`
}

// lines answers with an item a line, each sent at once. It may be used by several
// goroutines. What cannot be sent is dropped: the caller has gone, and its context
// ends what makes the items.
type lines[T any] struct {
	mu    sync.Mutex
	to    *json.Encoder
	flush *http.ResponseController
}

func newLines[T any](w http.ResponseWriter) *lines[T] {
	w.Header().Set("Content-Type", "application/x-ndjson")
	l := &lines[T]{to: json.NewEncoder(w), flush: http.NewResponseController(w)}
	_ = l.flush.Flush() // so that the caller knows that it is heard
	return l
}

func (l *lines[T]) item(item T) { l.send(line[T]{Item: &item}) }

// fail is the last line: why there are no more. A nil error is none.
func (l *lines[T]) fail(err error) {
	if err != nil {
		l.send(line[T]{Error: err.Error()})
	}
}

func (l *lines[T]) send(one line[T]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.to.Encode(one)
	_ = l.flush.Flush()
}

// follow hands over the items of an answer until it or ctx ends. what names them in
// errors.
func follow[T any](ctx context.Context, c *Client, method, path, what string, each func(T) error) error {
	resp, err := c.send(ctx, method, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	from := json.NewDecoder(resp.Body)
	for {
		var one line[T]
		switch err := from.Decode(&one); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading %s: %w", what, err)
		case one.Error != "":
			return errors.New(one.Error)
		case one.Item == nil:
			continue
		}
		if err := each(*one.Item); err != nil {
			return err
		}
	}
}

// untilDone is nil where ctx has ended: who follows until then wants no error of it.
func untilDone(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}
