package bgp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// port is BGP's (RFC 4271, section 8.2.1).
	port = 179
	// maxLine bounds what either side reads as one line: thousands of prefixes.
	maxLine = 4 << 20
	// gather is how long changes are waited for that come together.
	gather = 20 * time.Millisecond
	// afresh is how often the counts of messages are told.
	afresh = 10 * time.Second
)

// Run speaks until its input ends. Each line of the input is a [Speaker] that it is
// to be from then on; each line of the output the [State] that it is in.
func Run(ctx context.Context, in io.Reader, out io.Writer) error {
	if err := confine(); err != nil {
		return err
	}
	return run(ctx, in, out, port)
}

func run(ctx context.Context, in io.Reader, out io.Writer, port int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wanted := make(chan Speaker)
	ended := make(chan error, 1)
	go func() { ended <- readLines(ctx, in, wanted) }()
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	var now *speaking
	defer func() {
		if now != nil {
			now.close()
		}
	}()
	lines := json.NewEncoder(out)
	tell := func() error {
		if now == nil {
			return nil
		}
		s, err := now.state(ctx)
		if err != nil {
			return err
		}
		return lines.Encode(s)
	}
	tick := time.NewTicker(afresh)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case want := <-wanted:
			var err error
			if now, err = become(ctx, now, want, port, notify); err != nil {
				return err
			}
			notify()
		case <-changed:
			time.Sleep(gather)
			if err := tell(); err != nil {
				return err
			}
		case <-tick.C:
			if err := tell(); err != nil {
				return err
			}
		}
	}
}

// become makes a speaker what is wanted, with new sessions only where it must.
func become(ctx context.Context, now *speaking, want Speaker, port int, changed func()) (*speaking, error) {
	if now == nil || !now.is.session(want) {
		if now != nil {
			now.close()
		}
		var err error
		if now, err = speak(ctx, want, port, changed); err != nil {
			return nil, err
		}
	}
	return now, now.advertise(want.Prefixes)
}

func readLines(ctx context.Context, in io.Reader, to chan<- Speaker) error {
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, maxLine)
	for scan.Scan() {
		want, err := decode(scan.Bytes())
		if err != nil {
			return err
		}
		select {
		case to <- want:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return scan.Err()
}

// decode reads a line of the input, and refuses what cannot be spoken as.
func decode(line []byte) (Speaker, error) {
	var s Speaker
	if err := json.Unmarshal(line, &s); err != nil {
		return s, fmt.Errorf("reading what to be: %w", err)
	}
	if s.ASN == 0 || !s.ID.Is4() || len(s.Peers) == 0 {
		return s, errors.New("a speaker needs an AS number, an IPv4 address as its router id, and a peer")
	}
	for _, p := range s.Peers {
		if p.ASN == 0 || !p.Address.Is4() || !p.Local.Is4() {
			return s, fmt.Errorf("the peer %s needs an AS number and IPv4 addresses", p.Address)
		}
	}
	for _, p := range s.Prefixes {
		if !p.IsValid() || !p.Addr().Is4() {
			return s, fmt.Errorf("%s is no IPv4 prefix", p)
		}
	}
	return s, nil
}
