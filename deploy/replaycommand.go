package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"

	"milepost/consumers"
	"milepost/schemas"
)

// replayCommand lets the server make the warehouse anew from the stream.
type replayCommand struct {
	server
	Partial    bool   `help:"Replay a stream that lacks messages; what only the warehouse holds of them is lost."`
	JudgeAgain bool   `help:"Let the present rules decide what is a dead letter, also where editions were published with another decision."`
	Format     string `enum:"json,table" default:"table" help:"json or table."`
}

var phaseLabels = map[consumers.ReplayPhase]string{
	consumers.ReplayReading: "reading the stream", consumers.ReplayChecking: "checking", consumers.ReplayWaiting: "letting the consumers rest",
	consumers.ReplaySwapping: "exchanging the tables", consumers.ReplayComparing: "comparing with before",
}

// Run shows the progress on the standard error and the result on the standard
// output.
func (c *replayCommand) Run(env *environment) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	values := url.Values{}
	for name, chosen := range map[string]bool{"partial": c.Partial, "judge_again": c.JudgeAgain} {
		if chosen {
			values.Set(name, "true")
		}
	}
	body, err := client.post(env.ctx, "/v1/replay", values, "", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	lines := json.NewDecoder(body)
	for {
		var line replayLine
		if err := lines.Decode(&line); err != nil {
			return &schemas.Error{Code: schemas.Unavailable, Message: "the server ended during the replay", Hint: "start it again; until the tables are exchanged those in use stay as they were", Err: unexpected(err)}
		}
		switch {
		case line.Error != nil:
			return line.Error
		case line.Result != nil:
			return c.print(env.streams.Out, line.Result)
		case line.ReplayProgress != nil:
			fmt.Fprintf(env.streams.Err, "%s: %d of %d\n", phaseLabels[line.Phase], line.Sequence, line.Last)
		}
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (c *replayCommand) print(w io.Writer, result *consumers.ReplayResult) error {
	if c.Format == "json" {
		return json.NewEncoder(w).Encode(result)
	}
	fmt.Fprintf(w, "replayed up to sequence %d: %d events, %d dead letters\n", result.Sequence, result.Events, result.DeadLetters)
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "table\trows before\trows now\t")
	for _, t := range result.Tables {
		verdict := "equal"
		if t.Changed {
			verdict = "changed"
		}
		fmt.Fprintf(out, "%s\t%d\t%d\t%s\n", t.Table, t.Before, t.After, verdict)
	}
	return out.Flush()
}
