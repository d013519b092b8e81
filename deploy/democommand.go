package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"milepost/deploy/demo"
	"milepost/deploy/settings"
	"milepost/producers"
	"milepost/schemas"
)

// demoCommand serves a made-up city.
type demoCommand struct {
	Data             string `help:"Data folder of the demonstration." default:"milepost-data/demo" type:"path"`
	Listen           string `help:"Address of the HTTP interface." default:"127.0.0.1:8080"`
	ClickHouseListen string `help:"Address of the ClickHouse HTTP interface." name:"clickhouse-listen" default:"127.0.0.1:8123"`
	NATSListen       string `help:"Address of NATS for other programs (none)." name:"nats-listen"`
	Exit             bool   `help:"End when the ledger and the bulletin are made, instead of serving on."`
}

// The demonstration shows the bulletins of these periods.
const (
	demoPeriod  = "2025-10"
	demoQuarter = "2025-Q3"
)

// Run publishes the city's events, makes its ledger and bulletin, and serves.
func (c *demoCommand) Run(env *environment) error {
	// The demonstration's events can be made again; waiting for the disk would
	// only slow it down.
	config := settings.Config{Data: c.Data, Listen: c.Listen, ClickHouseListen: c.ClickHouseListen, NATSListen: c.NATSListen, LogLevel: "warn", Durability: "process"}
	app, err := StartApp(env.ctx, config, env.streams, env.now)
	if err != nil {
		return stoppedWhileStarting(env.ctx, err)
	}
	err = c.show(env, app)
	if err == nil && !c.Exit {
		fmt.Fprintln(env.streams.Out, "ready", app.Address())
		err = app.Wait(env.ctx)
	}
	return errors.Join(err, app.Close())
}

func (c *demoCommand) show(env *environment, app *App) error {
	out := env.streams.Out
	published, err := publishDemo(env.ctx, app.HTTP)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "published  %d events of a made-up city (2024-09 to 2025-11), %d of them new\n", published.sent, published.fresh)
	client, err := newClient(app.HTTP, httpClient(app.HTTP, operatorToken(app.HTTP)))
	if err != nil {
		return err
	}
	for _, file := range []struct{ name, path, format string }{
		{"ledger-2025-10-31.csv", "/v1/ledger?as_of=2025-10-31", "csv"},
		{"bulletin-" + demoPeriod + ".md", "/v1/bulletins/" + demoPeriod + "?", "md"},
		{"bulletin-" + demoPeriod + ".html", "/v1/bulletins/" + demoPeriod + "?", "html"},
		{"bulletin-" + demoQuarter + ".md", "/v1/bulletins/" + demoQuarter + "?", "md"},
		{"assessment-2025-draft.md", "/v1/assessments/2025?", "md"},
	} {
		path := filepath.Join(c.Data, file.name)
		if err := saveAnswer(env.ctx, client, file.path+"&format="+file.format, path); err != nil {
			return err
		}
		fmt.Fprintf(out, "wrote      %s\n", path)
	}
	nats := ""
	if app.NATS != "" {
		nats = "  NATS            " + app.NATS + "\n"
	}
	server := ""
	if app.HTTP != "http://127.0.0.1:8080" {
		server = " --server " + app.HTTP
	}
	fmt.Fprintf(out, `
  pages and API   %s
  ClickHouse      %s   (read only)
%s
Try in a second terminal:
  ./milepost bulletin %s --format md%s
  ./milepost ledger --as-of 2025-10-31%s
  ./milepost assess 2025 --format md%s
  ./milepost query "SELECT light, count() FROM ledger_current GROUP BY light"%s
`, app.HTTP, app.ClickHouse, nats, demoPeriod, server, server, server, server)
	return nil
}

func saveAnswer(ctx context.Context, c *client, path, file string) error {
	body, err := c.get(ctx, path, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	return errors.Join(err, f.Close())
}

type demoPublished struct{ sent, fresh int }

// publishDemo sends the events the way an office would, and waits until the
// ledger knows them.
func publishDemo(ctx context.Context, server string) (demoPublished, error) {
	events, err := demo.Events(1)
	if err != nil {
		return demoPublished{}, err
	}
	var lines bytes.Buffer
	for _, e := range events {
		lines.Write(e.Raw)
		lines.WriteByte('\n')
	}
	var count demoPublished
	var refused *schemas.Error
	err = producers.NewClient(server, httpClient(server, operatorToken(server))).Publish(ctx, &lines, true, func(r producers.Receipt) {
		count.sent++
		if !r.Duplicate {
			count.fresh++
		}
		if r.Error != nil {
			refused = r.Error
		}
	})
	if err == nil && refused != nil {
		err = refused
	}
	return count, err
}
