package pages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"milepost/schemas"
)

// Bounds of a result that a page shows; a CSV file has all of it.
const (
	maxShownRows  = 500
	maxShownBytes = 4 << 20
	maxStatement  = 64 << 10
)

type queryContent struct {
	SQL        string
	Examples   []example
	Columns    []resultColumn
	Rows       [][]string
	Count      int
	Cut        bool
	Took       string
	Ran        bool
	Error      string
	Hint       string
	Wish       plotWish
	Plot       *plot
	Dictionary dictionaryContent
}

type example struct{ Name, Address string }

type resultColumn struct {
	Name, Type string
	Number     bool
}

// examples ask the documented views; what names a month takes the last.
func (p *Pages) examples() []example {
	month := schemas.DateOf(p.Now()).Month() - 1
	const now = "(SELECT max(known_seq) FROM ledger_current)"
	all := []struct {
		name, sql string
		plotWish
	}{
		{"各县(市)区亮灯", "SELECT district, light, count() AS projects\nFROM ledger_current WHERE NOT cancelled\nGROUP BY district, light ORDER BY district, light", plotWish{X: "district", Y: "projects", By: "light"}},
		{"红灯项目", "SELECT project_id, name, district, lead, rate, started_overdue_months\nFROM ledger_current WHERE light = 'red' ORDER BY district, project_id", plotWish{X: "name", Y: "started_overdue_months"}},
		{"各部门投资完成率", "SELECT department, sum(plan) AS planned, sum(invested) AS done, round(100 * done / planned, 1) AS rate\nFROM ledger_current WHERE plan > 0 AND NOT suspended AND NOT cancelled\nGROUP BY department ORDER BY rate DESC", plotWish{X: "department", Y: "rate"}},
		{"每月收到的事件", "SELECT toStartOfMonth(recorded_at) AS month, type, count() AS events\nFROM events FINAL GROUP BY month, type ORDER BY month DESC, events DESC LIMIT 200", plotWish{X: "month", Y: "events", By: "type"}},
		{"各月累计投资", "SELECT month, sum(invested_ytd) AS invested_ytd FROM (\n    SELECT toStartOfMonth(business_date) AS month, project_id, argMax(JSONExtractFloat(data, 'invested_ytd'), stream_seq) AS invested_ytd\n    FROM events FINAL WHERE type = 'progress.reported.v1' GROUP BY month, project_id\n) GROUP BY month ORDER BY month", plotWish{X: "month", Y: "invested_ytd", Shape: "line"}},
		{"一个月的排名", fmt.Sprintf("SELECT kind, name, projects, score, rank, rank_change\nFROM rankings(period = '%s', known = %s)\nORDER BY kind, rank", month, now), plotWish{X: "name", Y: "score"}},
		{"考核得分", fmt.Sprintf("SELECT kind, name, final, grade, rank\nFROM assessment(year = %d, known = %s)\nORDER BY kind, rank", month.Year(), now), plotWish{X: "name", Y: "final"}},
		{"报送时效", "SELECT district, count() AS events, round(avg(days_after), 1) AS days\nFROM reporting_delays GROUP BY district ORDER BY days DESC", plotWish{X: "district", Y: "days"}},
	}
	list := make([]example, 0, len(all))
	for _, one := range all {
		values := url.Values{"sql": {one.sql}}
		for name, value := range map[string]string{"x": one.X, "y": one.Y, "by": one.By, "shape": one.Shape} {
			if value != "" {
				values.Set(name, value)
			}
		}
		list = append(list, example{one.name, "/query?" + values.Encode()})
	}
	return list
}

// firstStatement is in the box before anything was asked.
const firstStatement = "SELECT district, light, count() AS projects\nFROM ledger_current WHERE NOT cancelled\nGROUP BY district, light ORDER BY district, light"

func wishOf(r *http.Request) plotWish {
	return plotWish{X: r.FormValue("x"), Y: r.FormValue("y"), By: r.FormValue("by"), Shape: r.FormValue("shape")}
}

// query answers GET /query?sql= with the statement in the box, not run.
func (p *Pages) query(w http.ResponseWriter, r *http.Request) error {
	c := &queryContent{SQL: r.FormValue("sql"), Examples: p.examples(), Wish: wishOf(r)}
	if c.SQL == "" {
		c.SQL = firstStatement
	}
	return p.showQuery(w, r, http.StatusOK, c)
}

func (p *Pages) showQuery(w http.ResponseWriter, r *http.Request, status int, c *queryContent) error {
	var err error
	if c.Dictionary, err = p.dictionary(r.Context(), r.FormValue("find")); err != nil {
		return err
	}
	return p.show(w, r, status, "query", "查询", c)
}

// runQuery answers POST /query: the result as a page, or as CSV.
func (p *Pages) runQuery(w http.ResponseWriter, r *http.Request) error {
	c := &queryContent{SQL: strings.TrimSpace(r.PostFormValue("sql")), Examples: p.examples(), Wish: wishOf(r)}
	if len(c.SQL) > maxStatement {
		return &schemas.Error{Code: schemas.TooLarge, Field: "sql", Message: "the statement is too long", Hint: "at most 64 KiB"}
	}
	if r.PostFormValue("as") == "csv" {
		return p.queryCSV(w, r, c)
	}
	started := time.Now()
	out := &capped{most: maxShownBytes}
	err := p.Analyst.Query(r.Context(), out, c.SQL, "JSONCompact")
	c.Took = fmt.Sprintf("%.0f 毫秒", float64(time.Since(started).Microseconds())/1000)
	status := http.StatusOK
	switch {
	case out.full:
		c.Error, c.Hint, status = "结果太大，页面放不下", "加上 LIMIT，或下载 CSV", http.StatusUnprocessableEntity
	case err != nil:
		var e *schemas.Error
		if !errors.As(err, &e) {
			return err
		}
		c.Error, c.Hint, status = e.Message, "只能执行一条 SELECT；表和视图见下方数据字典", e.Code.Status()
	default:
		if err := c.take(out.text.Bytes()); err != nil {
			c.Error, c.Hint, status = "结果不是表格", "不要写 FORMAT，需要其他格式时用 /v1/query", http.StatusUnprocessableEntity
		}
		c.Plot = draw(c.Columns, c.Rows, c.Wish)
	}
	return p.showQuery(w, r, status, c)
}

func (p *Pages) queryCSV(w http.ResponseWriter, r *http.Request, c *queryContent) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="milepost-query.csv"`)
	out := &marked{w: w}
	err := p.Analyst.Query(r.Context(), out, c.SQL, "CSVWithNames")
	if err == nil {
		return nil
	}
	if out.begun {
		panic(http.ErrAbortHandler) // the status is gone; the file must not look whole
	}
	w.Header().Del("Content-Disposition")
	var e *schemas.Error
	if !errors.As(err, &e) {
		return err
	}
	c.Error, c.Hint = e.Message, "只能执行一条 SELECT；表和视图见下方数据字典"
	return p.showQuery(w, r, e.Code.Status(), c)
}

// marked puts a byte-order mark before the text, so that spreadsheets read it as
// UTF-8.
type marked struct {
	w     http.ResponseWriter
	begun bool
}

// Write is that of io.Writer.
func (m *marked) Write(b []byte) (int, error) {
	if !m.begun {
		m.begun = true
		if _, err := m.w.Write([]byte("\uFEFF")); err != nil {
			return 0, err
		}
	}
	return m.w.Write(b)
}

// capped keeps a result up to a size, and breaks off a larger one.
type capped struct {
	text bytes.Buffer // not embedded: its ReadFrom would know no bound
	most int
	full bool
}

var errFull = errors.New("the result is larger than a page shows")

// Write is that of io.Writer.
func (c *capped) Write(b []byte) (int, error) {
	if c.text.Len()+len(b) > c.most {
		c.full = true
		return 0, errFull
	}
	return c.text.Write(b)
}

// take reads a result in JSONCompact.
func (c *queryContent) take(text []byte) error {
	var result struct {
		Meta []struct{ Name, Type string }
		Data [][]json.RawMessage
	}
	if err := json.Unmarshal(text, &result); err != nil {
		return err
	}
	c.Ran, c.Count = true, len(result.Data)
	for _, m := range result.Meta {
		c.Columns = append(c.Columns, resultColumn{m.Name, m.Type, strings.Contains(m.Type, "Int") || strings.Contains(m.Type, "Decimal") || strings.Contains(m.Type, "Float")})
	}
	if c.Cut = c.Count > maxShownRows; c.Cut {
		result.Data = result.Data[:maxShownRows]
	}
	for _, data := range result.Data {
		row := make([]string, len(data))
		for i, value := range data {
			row[i] = plain(value)
		}
		c.Rows = append(c.Rows, row)
	}
	return nil
}

// plain shows a JSON value as people read it.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil && string(value) != "null" {
		return text
	}
	if string(value) == "null" {
		return unknown
	}
	return string(value)
}
