package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// verdict is how a check ended.
type verdict string

// A warning is worth a look and stops nothing; an error stops something.
const (
	healthy verdict = "ok"
	warning verdict = "warning"
	broken  verdict = "error"
)

// diagnosis is the result of a check: what was found, and what to do about it.
type diagnosis struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Found   string  `json:"found"`
	Do      string  `json:"do,omitempty"`
}

// diagnoses are the results of checks, in their order.
type diagnoses []diagnosis

func (d *diagnoses) ok(check, format string, v ...any) {
	*d = append(*d, diagnosis{check, healthy, fmt.Sprintf(format, v...), ""})
}

func (d *diagnoses) warn(check, do, format string, v ...any) {
	*d = append(*d, diagnosis{check, warning, fmt.Sprintf(format, v...), do})
}

func (d *diagnoses) fail(check, do, format string, v ...any) {
	*d = append(*d, diagnosis{check, broken, fmt.Sprintf(format, v...), do})
}

// count tells how many checks ended so.
func (d diagnoses) count(v verdict) (n int) {
	for _, one := range d {
		if one.Verdict == v {
			n++
		}
	}
	return n
}

// worst is the verdict of all together.
func (d diagnoses) worst() verdict {
	switch {
	case d.count(broken) > 0:
		return broken
	case d.count(warning) > 0:
		return warning
	}
	return healthy
}

func (d diagnoses) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]any{"verdict": d.worst(), "checks": d})
	}
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, one := range d {
		fmt.Fprintf(out, "%s\t%s\t%s\n", one.Verdict, one.Check, strings.ReplaceAll(one.Found, "\n", " "))
		if one.Do != "" {
			fmt.Fprintf(out, "\t\t→ %s\n", one.Do)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d checks, %d errors, %d warnings\n", len(d), d.count(broken), d.count(warning))
	return err
}
