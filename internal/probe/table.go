package probe

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Sort orders comparisons by place, with the internet last, then by host.
func Sort(cells []Comparison) {
	slices.SortStableFunc(cells, func(a, b Comparison) int {
		return cmp.Or(rank(a.Place)-rank(b.Place), cmp.Compare(a.Place, b.Place), cmp.Compare(a.Host, b.Host))
	})
}

func rank(place string) int {
	if place == "internet" {
		return 1
	}
	return 0
}

// WriteTable writes a matrix of services by places, then what disagrees; with
// verbose each cell's reason.
func WriteTable(w io.Writer, cells []Comparison, verbose bool) error {
	var places, hosts []string
	at := map[[2]string]Comparison{}
	for _, c := range cells {
		if !slices.Contains(places, c.Place) {
			places = append(places, c.Place)
		}
		if !slices.Contains(hosts, c.Host) {
			hosts = append(hosts, c.Host)
		}
		at[[2]string{c.Place, c.Host}] = c
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "SERVICE\t%s\n", strings.Join(places, "\t"))
	for _, host := range hosts {
		row := []string{shorten(host)}
		for _, place := range places {
			row = append(row, mark(at[[2]string{place, host}]))
		}
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	agree := 0
	for _, c := range cells {
		if c.Agrees {
			agree++
		}
		if verbose && c.Agrees {
			fmt.Fprintf(w, "  %s -> %s: %s\n      proof: %s\n      seen:  %s\n", c.Place, c.Host, c.Proof, c.Reason, c.Seen.Detail)
		}
		if !c.Agrees {
			fmt.Fprintf(w, "\n%s -> %s disagrees: %s\n      the proof's reason: %s\n", c.Place, c.Host, c.Disagree, c.Reason)
		}
	}
	_, err := fmt.Fprintf(w, "\n%d of %d cells agree with the proof.\n", agree, len(cells))
	return err
}

// mark is one cell: how far the packets got, and ! where the proof says otherwise.
func mark(c Comparison) string {
	met := string(c.Seen.Met)
	if met == "" {
		met = "?"
	}
	if !c.Agrees {
		return "! " + met
	}
	return met
}

// shorten keeps a host name's beginning and end, so that a row fits.
func shorten(host string) string {
	const most = 44
	if len(host) <= most {
		return host
	}
	return host[:12] + "..." + host[len(host)-(most-15):]
}
