package command

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/cloister-ml/cloister/report"
)

// Values of --color.
const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

func declareLook(flags *pflag.FlagSet, color *string, width *int) {
	flags.StringVar(color, "color", colorAuto, "colours in text: auto, always or never; auto is where text goes to a terminal and NO_COLOR is not set")
	flags.IntVar(width, "width", 0, "columns of text (the terminal's, or 100)")
}

// maxWidth is where lines become too long to read.
const maxWidth = 140

// reportLook are the options of a report to out: coloured and as wide as the
// terminal, where it is one and the user says nothing else.
func reportLook(out io.Writer, color string, width int) (report.Options, error) {
	o := report.Options{Path: fromHere, Version: version()}
	if f, ok := out.(*os.File); ok {
		o.Color = report.WantColor(f)
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil {
			o.Width = min(int(size.Col), maxWidth)
		}
	}
	switch color {
	case colorAuto:
	case colorAlways:
		o.Color = true
	case colorNever:
		o.Color = false
	default:
		return o, fmt.Errorf("--color is auto, always or never, not %q", color)
	}
	if width != 0 {
		if width < report.MinWidth || width > 1000 {
			return o, fmt.Errorf("--width is from %d to 1000, not %d", report.MinWidth, width)
		}
		o.Width = width
	}
	return o, nil
}

// version is the program's own, where it was built from a release.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || !strings.HasPrefix(info.Main.Version, "v") {
		return ""
	}
	return strings.TrimPrefix(info.Main.Version, "v")
}

// reportOptions are those of a report to out where nothing is asked for.
func reportOptions(out io.Writer) report.Options {
	o, _ := reportLook(out, colorAuto, 0) // these are never refused
	return o
}
