package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"

	"milepost/schemas"
)

type auditCommand struct {
	server
	Since string `help:"A day (YYYY-MM-DD) or a time; by default everything." placeholder:"TIME"`
	JSON  bool   `help:"Print JSON."`
}

var auditResults = map[schemas.AuditResult]string{
	schemas.AuditBegun: "未知", schemas.AuditDone: "完成", schemas.AuditRefused: "拒绝", schemas.AuditFailed: "失败",
}

// Run prints the audit, the oldest record first.
func (c *auditCommand) Run(env *environment) error {
	if c.Token == "" {
		c.Token = operatorToken(c.Server)
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	values := url.Values{}
	setIf(values, "since", c.Since)
	body, err := client.get(env.ctx, "/v1/audit", values)
	if err != nil {
		return err
	}
	defer body.Close()
	if c.JSON {
		_, err = io.Copy(env.streams.Out, body)
		return err
	}
	var records []schemas.AuditRecord
	if err := json.NewDecoder(body).Decode(&records); err != nil {
		return fmt.Errorf("the server's audit does not read: %w", err)
	}
	out := tabwriter.NewWriter(env.streams.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "时间\t操作者\t名称\t来源地址\t操作\t对象\t结果\t说明")
	for _, r := range records {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", shanghai(r.At), r.Actor, orDash(r.Name), orDash(r.Remote), r.Action, orDash(r.Target), auditResults[r.Result], orDash(auditNote(r)))
	}
	return out.Flush()
}

// auditNote says what the columns do not.
func auditNote(r schemas.AuditRecord) string {
	note := string(r.Code)
	if r.Published+r.Duplicates+r.Refused > 0 {
		note = fmt.Sprintf("新增 %d、重复 %d、拒收 %d", r.Published, r.Duplicates, r.Refused)
	}
	if r.LastSeq > 0 {
		note += fmt.Sprintf("(序号 %d–%d)", r.FirstSeq, r.LastSeq)
	}
	if r.Requests > 1 {
		note += fmt.Sprintf(",%d 次请求", r.Requests)
	}
	return note
}
