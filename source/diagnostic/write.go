package diagnostic

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/hashicorp/hcl/v2"
)

// maxSnippet bounds a line that is shown: a document of one line is not.
const maxSnippet = 400

// Write prints the diagnostics with the source text they are about, as Terraform
// does. Width wraps the detail (0: not), and color marks them for a terminal.
func (d Diagnostics) Write(w io.Writer, width uint, color bool) error {
	for _, h := range d.list {
		files := d.files
		if at := h.Subject; at != nil && at.Start.Line < 1 {
			whole := *h
			whole.Subject, whole.Detail = nil, at.Filename+": "+h.Detail
			h = &whole
		} else if at != nil && !d.showable(*at) {
			files = nil
		}
		if err := hcl.NewDiagnosticTextWriter(w, files, width, color).WriteDiagnostic(h); err != nil {
			return fmt.Errorf("writing what was read: %w", err)
		}
	}
	return nil
}

func (d Diagnostics) showable(at hcl.Range) bool {
	f, ok := d.files[at.Filename]
	if !ok {
		return false
	}
	_, text := lineOf(f.Bytes, at.Start.Line)
	return len(text) <= maxSnippet
}

// MarshalJSON writes the diagnostics as an array of [Diagnostic].
func (d Diagnostics) MarshalJSON() ([]byte, error) { return json.Marshal(d.All()) }
