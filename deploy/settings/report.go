package settings

import (
	"encoding/json"
	"fmt"
	"io"
)

// Print writes a line for each mistake, with its place in the file of that name, or all as JSON.
func (r *Report) Print(w io.Writer, name string, asJSON bool) error {
	if asJSON {
		if r.Findings == nil {
			r.Findings = []Finding{}
		}
		return json.NewEncoder(w).Encode(r)
	}
	for _, f := range r.Findings {
		where := name
		if f.Line > 0 {
			where = fmt.Sprintf("%s:%d:%d", name, f.Line, f.Column)
		}
		if _, err := fmt.Fprintf(w, "%s: %v\n", where, f.Error); err != nil {
			return err
		}
	}
	if len(r.Findings) > 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s: nothing is wrong\n", name)
	return err
}
