package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	Dictionary []relation
}

type example struct{ Name, SQL string }

type resultColumn struct {
	Name, Type string
	Number     bool
}

type relation struct {
	Name    string
	Columns []dictionaryColumn
}

type dictionaryColumn struct{ Name, Type, Chinese, English string }

func examples() []example {
	return []example{
		{"各县(市)区亮灯", "SELECT district, light, count() AS projects\nFROM ledger_current WHERE NOT cancelled\nGROUP BY district, light ORDER BY district, light"},
		{"红灯项目", "SELECT project_id, name, district, lead, rate, started_overdue_months\nFROM ledger_current WHERE light = 'red' ORDER BY district, project_id"},
		{"各部门投资完成率", "SELECT department, sum(plan) AS plan, sum(invested) AS invested, round(100 * invested / plan, 1) AS rate\nFROM ledger_current WHERE plan > 0 AND NOT suspended AND NOT cancelled\nGROUP BY department ORDER BY rate DESC"},
		{"每月收到的事件", "SELECT toStartOfMonth(recorded_at) AS month, type, count() AS events\nFROM events FINAL GROUP BY month, type ORDER BY month DESC, events DESC LIMIT 50"},
		{"一个月的排名", "SELECT kind, name, projects, score, rank, rank_change\nFROM rankings(period = '2025-10', known = (SELECT max(known_seq) FROM ledger_current))\nORDER BY kind, rank"},
	}
}

// query answers GET /query?sql= with the statement in the box, not run.
func (p *Pages) query(w http.ResponseWriter, r *http.Request) error {
	c := &queryContent{SQL: r.FormValue("sql"), Examples: examples()}
	if c.SQL == "" {
		c.SQL = c.Examples[0].SQL
	}
	return p.showQuery(w, r, http.StatusOK, c)
}

func (p *Pages) showQuery(w http.ResponseWriter, r *http.Request, status int, c *queryContent) error {
	var err error
	if c.Dictionary, err = p.dictionary(r.Context()); err != nil {
		return err
	}
	return p.show(w, r, status, "query", "查询", c)
}

// runQuery answers POST /query: the result as a page, or as CSV.
func (p *Pages) runQuery(w http.ResponseWriter, r *http.Request) error {
	c := &queryContent{SQL: strings.TrimSpace(r.PostFormValue("sql")), Examples: examples()}
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

// dictionary reads the documented tables and views.
func (p *Pages) dictionary(ctx context.Context) ([]relation, error) {
	out := &capped{most: maxShownBytes}
	err := p.Analyst.Query(ctx, out, "SELECT relation, name, type, chinese, english FROM data_dictionary ORDER BY relation, position", "JSONCompact")
	if err != nil {
		return nil, err
	}
	var result struct{ Data [][5]string }
	if err := json.Unmarshal(out.text.Bytes(), &result); err != nil {
		return nil, fmt.Errorf("the data dictionary: %w", err)
	}
	var all []relation
	for _, row := range result.Data {
		if len(all) == 0 || all[len(all)-1].Name != row[0] {
			all = append(all, relation{Name: row[0]})
		}
		last := &all[len(all)-1]
		last.Columns = append(last.Columns, dictionaryColumn{row[1], row[2], row[3], row[4]})
	}
	return all, nil
}
