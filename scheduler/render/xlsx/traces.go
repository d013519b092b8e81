package xlsx

import (
	"fmt"
	"iter"

	"milepost/schemas"
)

const tracesSheet = "计分依据"

// traceSheets bounds the sheets of events of a workbook; what is beyond stands
// in the assessment as JSON, and the last sheet says so.
const traceSheets = 8

// traces lists the events that every point rests on, a row each. A list longer
// than a sheet goes on in the next.
func (a *assessment) traces() error {
	total := 0
	for range a.eventRows() {
		total++
	}
	next, stop := iter.Pull(a.eventRows())
	defer stop()
	left := total
	for n := 1; n == 1 || left > 0; n++ {
		s := &sheet{name: tracesSheet, frozen: 3, notes: []string{fmt.Sprintf("共%d行，每行一个事件；同一事件可以是几项得分的依据。", total)}}
		if n > 1 {
			s.name = fmt.Sprintf("%s%d", tracesSheet, n)
			s.notes[0] += "接前表。"
		}
		// Title, facts, note and heading take their rows.
		size := min(left, a.book.rows-s.headRows()-1)
		left -= size
		switch {
		case left > 0 && n == traceSheets:
			s.notes[0] += fmt.Sprintf("还有%d行不能列入，见考核结果的JSON文件。", left)
			left = 0
		case left > 0:
			s.notes[0] += fmt.Sprintf("还有%d行，续见下一表。", left)
		}
		s.blocks = []block{{table: table{columns: traceColumns(), wide: true, size: size, rows: func(yield func([]any) bool) {
			for range size {
				if row, ok := next(); !ok || !yield(row) {
					return
				}
			}
		}}}}
		if _, err := a.book.add(s); err != nil {
			return err
		}
	}
	return nil
}

func traceColumns() []column {
	return []column{{name: "组别", kind: words, least: 14}, {name: "考核对象", kind: words, least: 26}, {name: "计分项", kind: code}, {name: "得分", kind: points}, {name: "序号", kind: count},
		{name: "事件来源", kind: words, least: 30}, {name: "事件编号", kind: words, least: 40}}
}

// eventRows gives a row for each event of each item. Leads that are not ranked
// are left out: their items are points.
func (a *assessment) eventRows() iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for i := range a.model.Groups {
			g := &a.model.Groups[i]
			if !a.names.ranks(g.Kind) {
				continue
			}
			group := groupName(g.Kind, g.Group, a.names.Rules)
			for _, row := range byRank(g.Rows) {
				for n := range row.Items {
					if !itemEvents(group, row, &row.Items[n], yield) {
						return
					}
				}
			}
		}
	}
}

func itemEvents(group string, row *schemas.AssessedRow, item *schemas.AssessmentItem, yield func([]any) bool) bool {
	for e := range item.Events {
		if !yield([]any{group, row.Name, milestoneName(item.Item), item.Points, e + 1, item.Events[e].Source, item.Events[e].ID}) {
			return false
		}
	}
	return true
}
