package deploy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"milepost/scheduler"
)

// TestScheduleCommand starts a server that owes months, of a job that drafts,
// and asks it what it plans, did and left.
func TestScheduleCommand(t *testing.T) {
	t.Parallel()
	since := time.Now().AddDate(0, -3, 0).Format("2006-01") + "-01"
	config := filepath.Join(t.TempDir(), "milepost.yaml")
	text := "bulletins: {formats: [md], since: " + since + ", quarterly: off, half_yearly: \"off\", modes: {monthly: manual}}\n" +
		"schedule: {time_zone: Europe/Berlin, light_check: 30 7 * * *, reminder: off}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	server := serve(t, "--config", config)
	ask := func() scheduler.Overview {
		t.Helper()
		var o scheduler.Overview
		if err := json.Unmarshal([]byte(server.mustRun(nil, "schedule", "--json")), &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	o := ask()
	deadline := time.Now().Add(time.Minute)
	for len(o.Jobs) == 0 || len(o.Jobs[0].Last) == 0 || o.Jobs[0].Last[len(o.Jobs[0].Last)-1].Result != scheduler.Drafted {
		if time.Now().After(deadline) {
			t.Fatalf("the oldest month was not drafted: %+v\n%s", o, server.log)
		}
		o = ask()
	}
	var names []string
	for _, job := range o.Jobs {
		names = append(names, job.Job)
	}
	monthly := o.Jobs[0]
	if got := strings.Join(names, " "); got != "monthly assessment light-check" || monthly.Mode != scheduler.Manual || o.TimeZone != "Europe/Berlin" || o.Since.String() != since {
		t.Errorf("jobs %s, %+v", got, o)
	}
	oldest := monthly.Last[len(monthly.Last)-1]
	if oldest.Period != since[:7] || oldest.Replica == "" || oldest.Due.After(oldest.Started) {
		t.Errorf("the oldest run: %+v", oldest)
	}
	if len(monthly.Waiting) == 0 || monthly.Waiting[0].Period != since[:7] || !strings.Contains(monthly.Waiting[0].Reason, "people publish it") {
		t.Errorf("waiting: %+v", monthly.Waiting)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	if len(monthly.Next) != 2 || monthly.Next[0].At.In(berlin).Format("15:04") != "09:00" || !monthly.Next[0].At.After(o.At) {
		t.Errorf("next: %+v", monthly.Next)
	}
	table := server.mustRun(nil, "schedule")
	for _, part := range []string{"时区 Europe/Berlin", "待办", "近期", "已起草", "monthly", monthly.Next[0].At.In(berlin).Format("2006-01-02 15:04"), "30 7 * * *"} {
		if !strings.Contains(table, part) {
			t.Errorf("the table lacks %q:\n%s", part, table)
		}
	}
}
