package command

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/report"
)

// askFlags are the questions that check answers in place of the proof.
type askFlags struct {
	from, to, as string
	protocol     string
	port         uint16
	matrix       bool
	exfil        bool
	failOnExfil  bool
}

func (f *askFlags) declare(flags *pflag.FlagSet) {
	flags.StringVar(&f.from, "from", "", "trace a client from this place: name, id, Terraform address, subnet, IP address, on-premises-NAME, vpn-client-GATEWAY or internet")
	flags.StringVar(&f.to, "to", "", "trace it to this service, host name, machine, subnet, IP address, on-premises-NAME, vpn-client-GATEWAY or internet")
	flags.Uint16Var(&f.port, "port", 0, "port of the trace (443)")
	flags.StringVar(&f.protocol, "protocol", "tcp", "protocol of the trace: tcp, udp or icmp")
	flags.StringVar(&f.as, "as", "", "identity of the trace, where it is not the place's own")
	flags.BoolVar(&f.matrix, "matrix", false, "show what a client at every place meets at every service, and nothing else")
	flags.BoolVar(&f.exfil, "exfil", false, "show every way by which data can leave, and nothing else")
	flags.BoolVar(&f.failOnExfil, "fail-on-exfil", false, "with --exfil: end with status 1 when there is one")
}

// asks reports whether a question is asked, and refuses two at once.
func (f askFlags) asks() (bool, error) {
	n := 0
	trace := f.from != "" || f.to != ""
	for _, on := range []bool{trace, f.matrix, f.exfil} {
		if on {
			n++
		}
	}
	switch {
	case n > 1:
		return false, fmt.Errorf("--matrix, --exfil and --from with --to are different questions: ask one at a time")
	case trace && f.from == "":
		return false, fmt.Errorf("--to needs --from: where does the client start? --from internet for an outsider")
	case trace && f.to == "":
		return false, fmt.Errorf("--from needs --to: where does the client want to go? --to internet for any address outside")
	case !trace && (f.as != "" || f.port != 0):
		return false, fmt.Errorf("--port and --as go with --from and --to")
	case f.failOnExfil && !f.exfil:
		return false, fmt.Errorf("--fail-on-exfil goes with --exfil")
	}
	return n > 0, nil
}

// question is what a trace asks.
func (f askFlags) question() (check.Question, error) {
	q := check.Question{From: f.from, To: f.to, Port: f.port, As: f.as}
	switch strings.ToLower(f.protocol) {
	case "tcp":
		q.Protocol = network.TCP
	case "udp":
		q.Protocol = network.UDP
	case "icmp":
		q.Protocol = network.ICMP
	default:
		return q, fmt.Errorf("--protocol is tcp, udp or icmp, not %q", f.protocol)
	}
	return q, nil
}

// answer writes the answer to the question that is asked, and says whether it
// objects to what it found.
func (f askFlags) answer(out io.Writer, e *arm.Estate, format string, o report.Options) error {
	switch {
	case f.matrix:
		return f.writeMatrix(out, e, format, o)
	case f.exfil:
		return f.writeExfil(out, e, format, o)
	}
	q, err := f.question()
	if err != nil {
		return err
	}
	t, err := check.Trace(e, q)
	if err != nil {
		return err
	}
	switch format {
	case "text":
		return report.TraceText(out, t, o)
	case "json":
		return report.TraceJSON(out, t, o)
	}
	return fmt.Errorf("a trace is written as text or json, not as %q", format)
}

func (f askFlags) writeMatrix(out io.Writer, e *arm.Estate, format string, o report.Options) error {
	switch format {
	case "text":
		return report.MatrixText(out, check.Matrix(e), o)
	case "json":
		return report.MatrixJSON(out, check.Matrix(e))
	case "md":
		return report.MatrixMarkdown(out, check.Matrix(e))
	}
	return fmt.Errorf("--matrix is written as text, json or md, not as %q", format)
}

func (f askFlags) writeExfil(out io.Writer, e *arm.Estate, format string, o report.Options) error {
	x := check.Exfil(e)
	var err error
	switch format {
	case "text":
		err = report.ExfilText(out, x, o)
	case "json":
		err = report.ExfilJSON(out, x, o)
	case "md":
		err = report.ExfilMarkdown(out, x, o)
	default:
		return fmt.Errorf("--exfil is written as text, json or md, not as %q", format)
	}
	if err == nil && f.failOnExfil && len(x.Ways) > 0 {
		return ExitStatus(ExitFinding)
	}
	return err
}

// completeNames completes the places or the destinations of the estate in DIR.
func completeNames(estate *EstateFlags, destinations bool) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		cmd.SetErr(io.Discard)
		e, err := estate.read(cmd, args[0])
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		places, goals := check.Names(e)
		if destinations {
			return goals, cobra.ShellCompDirectiveNoFileComp
		}
		return places, cobra.ShellCompDirectiveNoFileComp
	}
}
