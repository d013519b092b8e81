package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"milepost/scheduler"
	"milepost/schemas"
	"milepost/web/pages"
)

// scheduleRoutes serves the schedule.
func (a *App) scheduleRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/schedule", func(w http.ResponseWriter, r *http.Request) {
		overview, err := a.press.scheduler.Overview(r.Context())
		if err != nil {
			schemas.WriteProblem(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// A client that went away has nobody to tell.
		_ = json.NewEncoder(w).Encode(overview)
	})
}

type scheduleCommand struct {
	server
	JSON bool `help:"Print JSON."`
}

var runResults = map[scheduler.Result]string{
	scheduler.Running: "进行中", scheduler.Published: "已发布", scheduler.Drafted: "已起草", scheduler.Told: "已通知",
	scheduler.Skipped: "未执行", scheduler.Missed: "已错过", scheduler.Failed: "失败",
}

// Run prints the next runs, those that are owed, and the last ones.
func (c *scheduleCommand) Run(env *environment) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	body, err := client.get(env.ctx, "/v1/schedule", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if c.JSON {
		_, err = io.Copy(env.streams.Out, body)
		return err
	}
	var o scheduler.Overview
	if err := json.NewDecoder(body).Decode(&o); err != nil {
		return fmt.Errorf("the server's schedule does not read: %w", err)
	}
	return printSchedule(env.streams.Out, &o)
}

func printSchedule(w io.Writer, o *scheduler.Overview) error {
	zone, err := time.LoadLocation(o.TimeZone)
	if err != nil {
		zone = schemas.Location
	}
	clock := func(t time.Time) string { return t.In(zone).Format("2006-01-02 15:04") }
	fmt.Fprintf(w, "时区 %s · 自动执行 %s 以后结束的期次\n", o.TimeZone, o.Since)
	for _, year := range o.MissingHolidays {
		fmt.Fprintf(w, "注意:%d年节假日安排未知,按周一至周五为工作日;请在 schedule.calendar 所列文件中补充\n", year)
	}
	if o.Lease != nil {
		fmt.Fprintf(w, "正在执行:%s(至 %s)\n", o.Lease.Holder, clock(o.Lease.Until))
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "\n任务\t方式\t下次\t期次\t再下次\t规则")
	for _, job := range o.Jobs {
		cells := []string{job.Job, string(job.Mode), "-", "-", "-", orDash(job.Rule)}
		if len(job.Next) > 0 {
			cells[2], cells[3] = clock(job.Next[0].At), orDash(job.Next[0].Period)
		}
		if len(job.Next) > 1 {
			cells[4] = clock(job.Next[1].At)
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	heading := "\n待办\t期次\t应于\t说明"
	for _, job := range o.Jobs {
		for _, owed := range job.Waiting {
			if heading != "" {
				fmt.Fprintln(table, heading)
				heading = ""
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", job.Job, orDash(owed.Period), clock(owed.At), orDash(pages.ScheduleReason(owed.Reason)))
		}
	}
	heading = "\n近期\t期次\t应于\t执行\t结果\t期号\t截至序号\t执行者\t说明"
	for _, job := range o.Jobs {
		for _, run := range job.Last {
			if heading != "" {
				fmt.Fprintln(table, heading)
				heading = ""
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", run.Job, orDash(run.Period), clock(run.Due), clock(run.Started), runResults[run.Result],
				orNone(uint64(run.Number)), orNone(run.KnownSeq), orDash(run.Replica), orDash(pages.ScheduleReason(run.Reason)))
		}
	}
	return table.Flush()
}

func orNone(n uint64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatUint(n, 10)
}
