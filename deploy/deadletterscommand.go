package deploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"text/tabwriter"

	"milepost/schemas"
)

// deadlettersCommand lists dead letters, shows one, and does something about
// it.
type deadlettersCommand struct {
	List    deadlettersListCommand    `cmd:"" default:"withargs" help:"List them, newest first (the default)."`
	Show    deadlettersShowCommand    `cmd:"" help:"Show everything about one."`
	Resend  deadlettersResendCommand  `cmd:"" help:"Publish a mended event, or the message as it came, and close the dead letter."`
	Discard deadlettersDiscardCommand `cmd:"" help:"Close one without sending anything."`
}

type deadlettersListCommand struct {
	server
	Format string `enum:"json,table" default:"table" help:"json or table."`
	Limit  int    `default:"1000" help:"How many at the most, newest first."`
	All    bool   `help:"Also those that were resent or discarded."`
}

// Run lists the dead letters.
func (c *deadlettersListCommand) Run(env *environment) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	body, err := client.get(env.ctx, "/v1/dead-letters", url.Values{"limit": {strconv.Itoa(c.Limit)}, "all": {strconv.FormatBool(c.All)}})
	if err != nil {
		return err
	}
	defer body.Close()
	if c.Format == "json" {
		_, err = io.Copy(env.streams.Out, body)
		return err
	}
	var letters []schemas.DeadLetter
	if err := json.NewDecoder(body).Decode(&letters); err != nil {
		return fmt.Errorf("the server's dead letters do not read: %w", err)
	}
	out := tabwriter.NewWriter(env.streams.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "序号\t时间\t主题\t代码\t字段\t值\t原因\t提示\t状态")
	for _, l := range letters {
		fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.StreamSeq, l.RecordedAt.In(schemas.Location).Format("2006-01-02 15:04:05"), l.Subject, l.Code, l.Field, l.Value, l.Reason, l.Hint, stateLabels[l.State])
	}
	return out.Flush()
}

var stateLabels = map[schemas.DeadLetterState]string{
	schemas.DeadLetterOpen: "待处理", schemas.DeadLetterResent: "已重发", schemas.DeadLetterDiscarded: "已作废",
}

// oneDeadLetter names a dead letter.
type oneDeadLetter struct {
	server
	Seq uint64 `arg:"" help:"Stream sequence of the dead letter, as the list shows it."`
}

func (c *oneDeadLetter) path() string { return "/v1/dead-letters/" + strconv.FormatUint(c.Seq, 10) }

// print prints the server's answer.
func (c *oneDeadLetter) print(env *environment, ask func(*client) (io.ReadCloser, error)) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	body, err := ask(client)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(env.streams.Out, body)
	return err
}

type deadlettersShowCommand struct {
	oneDeadLetter
	Raw bool `help:"Only the message, byte for byte: save it, mend it, and resend it with --file."`
}

// Run shows a dead letter.
func (c *deadlettersShowCommand) Run(env *environment) error {
	format := "json"
	if c.Raw {
		format = "raw"
	}
	return c.print(env, func(server *client) (io.ReadCloser, error) {
		return server.get(env.ctx, c.path(), url.Values{"format": {format}})
	})
}

type deadlettersResendCommand struct {
	oneDeadLetter
	File string `help:"The mended event; - is standard input. Without it the message is sent as it came." placeholder:"FILE"`
}

// Run publishes the event and closes the dead letter.
func (c *deadlettersResendCommand) Run(env *environment) error {
	event, err := c.event(env)
	if err != nil {
		return err
	}
	return c.print(env, func(server *client) (io.ReadCloser, error) {
		return server.post(env.ctx, c.path()+"/resend", nil, "application/cloudevents+json", bytes.NewReader(event))
	})
}

func (c *deadlettersResendCommand) event(env *environment) ([]byte, error) {
	if c.File == "" {
		return nil, nil
	}
	in := env.streams.In
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return nil, usageError("--file", c.File, "cannot read the file", err.Error())
		}
		defer file.Close()
		in = file
	}
	event, err := io.ReadAll(io.LimitReader(in, schemas.MaxEventBytes+1))
	if err != nil {
		return nil, usageError("--file", c.File, "cannot read the file", err.Error())
	}
	if len(bytes.TrimSpace(event)) == 0 {
		return nil, usageError("--file", c.File, "the file is empty", "write the mended event into it")
	}
	return event, nil
}

type deadlettersDiscardCommand struct {
	oneDeadLetter
	Reason string `required:"" help:"Why nothing is sent instead."`
}

// Run closes the dead letter.
func (c *deadlettersDiscardCommand) Run(env *environment) error {
	body, err := json.Marshal(map[string]string{"reason": c.Reason})
	if err != nil {
		return err
	}
	return c.print(env, func(server *client) (io.ReadCloser, error) {
		return server.post(env.ctx, c.path()+"/discard", nil, "application/json", bytes.NewReader(body))
	})
}
