package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"text/tabwriter"
)

type ledgerCommand struct {
	server
	AsOf     string `help:"The day E (YYYY-MM-DD), by default today."`
	Known    string `help:"What was known: a stream sequence S or a time; by default everything applied."`
	Format   string `enum:"json,ndjson,csv,table" default:"table" help:"json, ndjson, csv or table."`
	District string `help:"Only projects of the district with this code." placeholder:"CODE"`
	Status   string `help:"Only projects of this status: completed, smooth, slow, stalled or suspended." placeholder:"STATUS"`
	Light    string `help:"Only projects with this light: green, yellow, red, grey or none." placeholder:"LIGHT"`
	Limit    int    `help:"At most so many rows, up to 10000; by default all." placeholder:"ROWS"`
	After    string `help:"Only projects behind this id, such as the last one of a page." placeholder:"PROJECT"`
}

// Run prints the ledger, row by row as it comes.
func (c *ledgerCommand) Run(env *environment) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	format := c.Format
	if format == "table" {
		format = "ndjson"
	}
	values := url.Values{"format": {format}}
	for name, value := range map[string]string{
		"as_of": c.AsOf, "known": c.Known, "district": c.District, "status": c.Status, "light": c.Light, "after": c.After,
	} {
		setIf(values, name, value)
	}
	if c.Limit != 0 {
		values.Set("limit", strconv.Itoa(c.Limit))
	}
	body, err := client.get(env.ctx, "/v1/ledger", values)
	if err != nil {
		return err
	}
	defer body.Close()
	if c.Format != "table" {
		_, err = io.Copy(env.streams.Out, body)
		return err
	}
	return printLedgerTable(env.streams.Out, body)
}

// alignedRows is how many rows of a table are aligned with each other: those of a whole province would have to be held.
const alignedRows = 1000

// printLedgerTable prints rows that come as NDJSON.
func printLedgerTable(w io.Writer, body io.Reader) error {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "项目\t名称\t县(市)区\t市级领导\t市直部门\t阶段\t状态\t亮灯\t投资完成率")
	rows := json.NewDecoder(body)
	for n := 1; ; n++ {
		var row map[string]any
		if err := rows.Decode(&row); errors.Is(err, io.EOF) {
			return out.Flush()
		} else if err != nil {
			return fmt.Errorf("the server's ledger does not read: %w", err)
		}
		cell := func(key string) any {
			if v := row[key]; v != nil {
				return v
			}
			return "-"
		}
		rate := any("-")
		if investment, ok := row["investment"].(map[string]any); ok && investment["rate"] != nil {
			rate = fmt.Sprintf("%.1f%%", investment["rate"])
		}
		fmt.Fprintf(out, "%v\t%v\t%v\t%v\t%v\t%v\t%v\t%v\t%v\n", cell("project_id"), cell("name"), cell("district"), cell("lead"), cell("department"), cell("stage"), cell("status"), cell("light"), rate)
		if n%alignedRows == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}
