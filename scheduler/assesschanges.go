package scheduler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"milepost/scheduler/assessment"
	"milepost/schemas"
)

// assessmentChanges is what an assessment says otherwise than the one before it:
// a 更正 than the edition that it corrects, a second announcement than the first.
type assessmentChanges struct {
	Year int `json:"year"`
	// Before and KnownSeq are the S of both.
	Before   uint64             `json:"before_known_seq"`
	KnownSeq uint64             `json:"known_seq"`
	Changes  []assessmentChange `json:"changes"`
	// names are those of the rows by their path.
	names map[string]string
}

// assessmentChange is one figure, by the path of published_figures; null stands
// for one that is not there.
type assessmentChange struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// compareAssessments lists every figure that differs, in code-point order.
func compareAssessments(before, after *schemas.Assessment) (*assessmentChanges, error) {
	was, err := assessment.Figures(before)
	if err != nil {
		return nil, err
	}
	is, err := assessment.Figures(after)
	if err != nil {
		return nil, err
	}
	c := &assessmentChanges{Year: after.Year, Before: before.KnownSeq, KnownSeq: after.KnownSeq, Changes: []assessmentChange{}, names: map[string]string{}}
	old := make(map[string]json.RawMessage, len(was))
	for _, f := range was {
		old[f.Path] = f.Value
	}
	for _, f := range is {
		value, there := old[f.Path]
		delete(old, f.Path)
		if !there || !bytes.Equal(value, f.Value) {
			c.Changes = append(c.Changes, assessmentChange{f.Path, value, f.Value})
		}
	}
	for path, value := range old {
		c.Changes = append(c.Changes, assessmentChange{path, value, nil})
	}
	slices.SortFunc(c.Changes, func(a, b assessmentChange) int { return strings.Compare(a.Path, b.Path) })
	for _, model := range []*schemas.Assessment{before, after} {
		for i := range model.Groups {
			g := &model.Groups[i]
			for j := range g.Rows {
				c.names[rowPath(g, &g.Rows[j])] = g.Rows[j].Name
			}
		}
	}
	return c, nil
}

func rowPath(g *schemas.AssessedGroup, r *schemas.AssessedRow) string {
	path := "groups/" + g.Kind
	if g.Group != nil {
		path += "/" + *g.Group
	}
	return path + "/" + schemas.PathPart(r.Key)
}

// outcomes are the figures of a row that people are told of, in their order; the
// others are in the JSON file.
var outcomes = []struct{ key, name string }{
	{"score", "得分"}, {"bonus", "加分"}, {"penalty", "扣分"}, {"adjustment", "调整分"}, {"veto", "一票否决"}, {"final", "最终得分"}, {"rank", "名次"}, {"grade", "等次"},
}

// write tells people what changed, as Markdown. Outcomes of city leaders are
// told where they are ranked.
func (c *assessmentChanges) write(w io.Writer, rankLeads bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %d年度重大项目年终考核变更说明\n\n数据版本由 %d 变为 %d，共 %d 项数据变化。\n\n", c.Year, c.Before, c.KnownSeq, len(c.Changes))
	byPath := map[string]assessmentChange{}
	for _, change := range c.Changes {
		byPath[change.Path] = change
	}
	rows := make([]string, 0, len(c.names))
	for path := range c.names {
		if rankLeads || !strings.HasPrefix(path, "groups/lead/") {
			rows = append(rows, path)
		}
	}
	slices.Sort(rows)
	var lines []string
	for _, path := range rows {
		for _, outcome := range outcomes {
			if change, changed := byPath[path+"/"+outcome.key]; changed {
				lines = append(lines, fmt.Sprintf("| %s | %s | %s | %s |\n", tableCell(c.names[path]), outcome.name, said(change.Before), said(change.After)))
			}
		}
	}
	if len(lines) == 0 {
		b.WriteString("各考核对象的得分、名次和等次没有变化。\n")
	} else {
		b.WriteString("| 考核对象 | 项目 | 原为 | 现为 |\n|---|---|---|---|\n" + strings.Join(lines, ""))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// said gives a figure in people's words.
func said(value json.RawMessage) string {
	switch text := string(value); text {
	case "", "null":
		return "-"
	case "true":
		return "是"
	case "false":
		return "否"
	default:
		return strings.Trim(text, `"`)
	}
}

// tableCell keeps a name from breaking the table.
func tableCell(text string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(text)
}
