package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"text/tabwriter"

	"milepost/consumers"
	"milepost/consumers/archive"
	"milepost/schemas"
)

// archiveCommand moves the beginning of the stream into segments, and looks at them.
type archiveCommand struct {
	Run    archiveRunCommand    `cmd:"" default:"withargs" help:"Archive what is old, and purge it if that is wanted (the default)."`
	List   archiveListCommand   `cmd:"" help:"List the segments."`
	Verify archiveVerifyCommand `cmd:"" help:"Read every segment and compare it with its manifest."`
}

type archiveRunCommand struct {
	server
	Before   string `help:"Events that the stream took before this day (YYYY-MM-DD, Shanghai) are old." xor:"bound" placeholder:"DATE"`
	KeepDays *int   `help:"Events of the last so many days are not old. Without a bound archive_keep_days holds, or everything is archived." xor:"bound" placeholder:"N"`
	Purge    bool   `help:"Take what is old off the stream, after its segments were read back."`
	JSON     bool   `help:"Print the result as JSON." name:"json"`
}

// Run prints the new segments and what was purged.
func (c *archiveRunCommand) Run(env *environment) error {
	values := url.Values{}
	setIf(values, "before", c.Before)
	if c.KeepDays != nil {
		values.Set("keep_days", strconv.Itoa(*c.KeepDays))
	}
	if c.Purge {
		values.Set("purge", "true")
	}
	var result consumers.ArchiveResult
	if done, err := c.askAsOperator(env, "POST", "/v1/archive", values, c.JSON, &result); done || err != nil {
		return err
	}
	out := env.streams.Out
	if len(result.Segments) == 0 {
		fmt.Fprintf(out, "nothing new to archive; the archive ends at sequence %d\n", result.Last)
	} else {
		printSegments(out, result.Segments)
		fmt.Fprintf(out, "archived %d messages up to sequence %d\n", result.Archived, result.Last)
	}
	switch {
	case c.Purge && result.Purged == 0:
		fmt.Fprintf(out, "nothing to purge; the stream holds %d\n", result.Kept)
	case c.Purge:
		fmt.Fprintf(out, "purged %d messages up to sequence %d; the stream holds %d\n", result.Purged, result.PurgedTo, result.Kept)
	}
	return nil
}

// askAsOperator decodes the server's answer, or prints it as it is. On its own machine the user who runs the server needs no
// token.
func (s server) askAsOperator(env *environment, method, path string, values url.Values, asJSON bool, into any) (done bool, err error) {
	if s.Token == "" {
		s.Token = operatorToken(s.Server)
	}
	client, err := s.client()
	if err != nil {
		return false, err
	}
	body, err := client.do(env.ctx, method, path, values, "", nil)
	if err != nil {
		return false, err
	}
	defer body.Close()
	if asJSON {
		_, err := io.Copy(env.streams.Out, body)
		return true, err
	}
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return false, &schemas.Error{Code: schemas.Unavailable, Message: "the server's answer breaks off", Hint: "ask again; what was archived is not archived twice", Err: unexpected(err)}
	}
	return false, nil
}

func printSegments(w io.Writer, segments []archive.Segment) {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "segment\tmessages\tfrom\tto\tKiB\tSHA-256")
	const moment = "2006-01-02 15:04:05"
	for _, s := range segments {
		fmt.Fprintf(out, "%s\t%d\t%s\t%s\t%.1f\t%.12s…\n", s.Name(), s.Messages, s.FirstTime.In(schemas.Location).Format(moment), s.LastTime.In(schemas.Location).Format(moment), float64(s.Bytes)/1024, s.SHA256)
	}
	_ = out.Flush() // as fmt.Fprintf to the same writer
}

type archiveListCommand struct {
	server
	JSON bool `help:"Print the manifests as JSON." name:"json"`
}

// Run prints a line for each segment.
func (c *archiveListCommand) Run(env *environment) error {
	var list archiveList
	if done, err := c.askAsOperator(env, "GET", "/v1/archive", nil, c.JSON, &list); done || err != nil {
		return err
	}
	printSegments(env.streams.Out, list.Segments)
	_, err := fmt.Fprintf(env.streams.Out, "%d segments in %s; the stream holds %d messages, from sequence %d to %d, %.1f MiB\n",
		len(list.Segments), list.Dir, list.Stream.Messages, list.Stream.First, list.Stream.Last, float64(list.Stream.Bytes)/(1<<20))
	return err
}

type archiveVerifyCommand struct {
	server
	Dir  string `arg:"" optional:"" help:"A folder with a copy of an archive, which no server is asked about." type:"path"`
	JSON bool   `help:"Print the result as JSON." name:"json"`
}

// Run reads the server's archive, which with the stream must hold everything, or the copy of one.
func (c *archiveVerifyCommand) Run(env *environment) (err error) {
	var verified archiveVerified
	if c.Dir == "" {
		if done, err := c.askAsOperator(env, "POST", "/v1/archive/verify", nil, c.JSON, &verified); done || err != nil {
			return err
		}
	} else if verified, err = verifyArchive(env.ctx, c.Dir, archive.Open); err != nil {
		return err
	} else if verified.Segments == 0 {
		return usageError("DIR", c.Dir, "the folder holds no segment", "name the folder of an archive")
	} else if c.JSON {
		return json.NewEncoder(env.streams.Out).Encode(verified)
	}
	_, err = fmt.Fprintf(env.streams.Out, "%d segments up to sequence %d, %.1f MiB, in %s: every one is as it was written\n", verified.Segments, verified.Last, float64(verified.Bytes)/(1<<20), verified.Dir)
	return err
}
