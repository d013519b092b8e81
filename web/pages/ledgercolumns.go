package pages

import (
	"net/http"
	"slices"
	"strings"

	"milepost/schemas"
)

// ledgerColumn is a column that the ledger's page can show. Those without text
// are drawn by the template.
type ledgerColumn struct {
	Key, Name, Class string
	Sorts            bool
	Usual            bool // shown unless others are chosen
	text             func(*ledgerRow) string
}

func ledgerColumns() []ledgerColumn {
	day := func(of func(*schemas.Standing) schemas.Date) func(*ledgerRow) string {
		return func(r *ledgerRow) string { return date(of(r.Standing)) }
	}
	columns := []ledgerColumn{
		{Key: "district", Name: "县(市)区", Class: "optional", Sorts: true, Usual: true},
		{Key: "lead", Name: "分包", Class: "optional", Sorts: true, Usual: true},
		{Key: "light", Name: "亮灯", Sorts: true, Usual: true},
		{Key: "status", Name: "进展", Sorts: true, Usual: true},
		{Key: "stage", Name: "阶段", Class: "optional", Sorts: true, Usual: true},
		{Key: "total", Name: "总投资", Class: "number optional", Sorts: true, Usual: true},
		{Key: "plan", Name: "年度计划", Class: "number optional", Sorts: true, Usual: true},
		{Key: "invested", Name: "完成投资", Class: "number optional", Sorts: true, Usual: true},
		{Key: "rate", Name: "完成率", Class: "number", Sorts: true, Usual: true},
		{Key: "target", Name: "下一节点", Sorts: true, Usual: true},
		{Key: "issues", Name: "问题", Class: "number", Sorts: true, Usual: true},
		{Key: "enterprise", Name: "企业", text: func(r *ledgerRow) string { return orUnknown(r.Enterprise) }},
		{Key: "industry", Name: "行业", text: func(r *ledgerRow) string { return orUnknown(r.Industry) }},
		{Key: "registered", Name: "入库", Class: "nowrap", text: day(func(s *schemas.Standing) schemas.Date { return s.RegisteredOn })},
	}
	for _, m := range schemas.Milestones() {
		columns = append(columns,
			ledgerColumn{Key: m.String() + "-target", Name: milestoneName(m) + "目标", Class: "nowrap", text: day(func(s *schemas.Standing) schemas.Date { return s.Milestones[m].Target })},
			ledgerColumn{Key: m.String() + "-reached", Name: milestoneName(m) + "日期", Class: "nowrap", text: day(func(s *schemas.Standing) schemas.Date { return s.Milestones[m].ReachedOn })})
	}
	return append(columns, ledgerColumn{Key: "complete", Name: "七个一", Class: "number", text: func(r *ledgerRow) string {
		satisfied, applicable := r.Completeness()
		return percent(schemas.Percent(int64(satisfied), int64(applicable)))
	}})
}

// columnsCookie keeps what was chosen in the browser.
const columnsCookie = "milepost_columns"

// columnChoice is a column that can be chosen.
type columnChoice struct {
	ledgerColumn
	Shown bool
}

// chooseColumns takes the columns of the address, else those that the browser
// remembers, else the usual ones. given tells that the address names them.
func chooseColumns(r *http.Request) (choices []columnChoice, given bool) {
	keys := r.Form["col"]
	given = len(keys) > 0
	if !given {
		if cookie, err := r.Cookie(columnsCookie); err == nil {
			keys = strings.Split(cookie.Value, ".")
		}
	}
	for _, c := range ledgerColumns() {
		choices = append(choices, columnChoice{c, len(keys) == 0 && c.Usual || slices.Contains(keys, c.Key)})
	}
	return choices, given
}

// rememberColumns leaves the choice with the browser.
func rememberColumns(w http.ResponseWriter, choices []columnChoice) {
	keys := []string{"-"} // so that none is a choice, too
	for _, c := range choices {
		if c.Shown {
			keys = append(keys, c.Key)
		}
	}
	const year = 365 * 24 * 60 * 60
	http.SetCookie(w, &http.Cookie{Name: columnsCookie, Value: strings.Join(keys, "."), Path: "/ledger", MaxAge: year, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// Shows tells whether a column is shown.
func (c *ledgerContent) Shows(key string) bool {
	return slices.ContainsFunc(c.Columns, func(one columnChoice) bool { return one.Key == key && one.Shown })
}

// extra gives the cells of the chosen columns that are plain text.
func (c *ledgerContent) extra(row *ledgerRow) []extraCell {
	var cells []extraCell
	for _, one := range c.Columns {
		if one.Shown && one.text != nil {
			cells = append(cells, extraCell{one.Name, one.Class, one.text(row)})
		}
	}
	return cells
}

type extraCell struct{ Name, Class, Text string }
