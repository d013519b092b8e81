package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"

	"milepost/producers"
)

// commands is the command line. Client commands speak to a running server.
type commands struct {
	Serve          serveCommand          `cmd:"" help:"Run the server: embedded engines, or real ones by --nats and --clickhouse."`
	Demo           demoCommand           `cmd:"" help:"Serve a year of made-up events of a made-up city."`
	Publish        publishCommand        `cmd:"" help:"Publish events, one JSON object a line."`
	Import         importCommand         `cmd:"" help:"Publish what changed in snapshots of a spreadsheet (台账)."`
	Template       templateCommand       `cmd:"" help:"Write the workbook (台账) that an office fills in."`
	Ledger         ledgerCommand         `cmd:"" help:"Print the ledger (台账)."`
	Bulletin       bulletinCommand       `cmd:"" help:"Print or publish the bulletin (通报) of a period."`
	Assess         assessCommand         `cmd:"" help:"Print or finalise the assessment (年终考核) of a year."`
	Schedule       scheduleCommand       `cmd:"" help:"Print what runs next, what ran, and why it did or did not."`
	Editions       editionsCommand       `cmd:"" help:"List drafts and editions: kind, period, number, state, S, files with hashes."`
	Draft          draftCommand          `cmd:"" help:"Draft the bulletin of a period, for approval."`
	Approve        approveCommand        `cmd:"" help:"Approve a draft as it stands."`
	Return         returnCommand         `cmd:"" help:"Return a draft with a remark."`
	PublishEdition publishEditionCommand `cmd:"" name:"publish-edition" help:"Publish an approved draft."`
	Withdraw       withdrawCommand       `cmd:"" help:"Withdraw a published edition; its number stays used."`
	Correct        correctCommand        `cmd:"" help:"Publish a correction (更正) of an edition, as a numbered edition of its own."`
	Consult        consultCommand        `cmd:"" help:"Ask departments what they say of a draft (征求意见), until a day."`
	Answer         answerCommand         `cmd:"" help:"Answer for a department that was asked about a draft."`
	Object         objectCommand         `cmd:"" help:"Record an objection (异议) to a row of an announced assessment."`
	Deliver        deliverCommand        `cmd:"" help:"Deliver an edition or a letter again, and resume a paused target."`
	Deliveries     deliveriesCommand     `cmd:"" help:"List deliveries: what went where, when, and why not."`
	Generate       generateCommand       `cmd:"" help:"Write the events of a made-up province, of any size, to standard output."`
	Query          queryCommand          `cmd:"" help:"Run one read-only SQL statement."`
	Deadletters    deadlettersCommand    `cmd:"" help:"List, show, resend or discard the messages that the consumers could not accept (退件)."`
	Token          tokenCommand          `cmd:"" help:"Make, list and revoke tokens: who may do what."`
	Audit          auditCommand          `cmd:"" help:"Print the audit (审计): who did what, when and from where."`
	Replay         replayCommand         `cmd:"" help:"Make the warehouse anew from the stream, while everything goes on."`
	Archive        archiveCommand        `cmd:"" help:"Move the beginning of the stream into archived segments, which a replay reads, too."`
	Backup         backupCommand         `cmd:"" help:"Copy everything that is kept into a folder, while everything goes on."`
	Restore        restoreCommand        `cmd:"" help:"Make a new data folder from a backup."`
	Migrate        migrateCommand        `cmd:"" help:"Bring a box to NATS and ClickHouse servers, with its sequences."`
	NATSCreds      natsCredsCommand      `cmd:"" name:"nats-creds" help:"Make, list or revoke credentials of NATS clients."`
	Doctor         doctorCommand         `cmd:"" help:"Check everything that a server needs, and say what to do."`
	Config         configCommand         `cmd:"" help:"Check a configuration file, and list every option."`
	Engine         engineCommand         `cmd:"" help:"Fetch the embedded ClickHouse engine ahead of the first start."`
	Version        versionCommand        `cmd:"" help:"Print the version."`
}

// server is where client commands go.
type server struct {
	Server string `default:"http://127.0.0.1:8080" env:"MILEPOST_SERVER" help:"Address of the running server."`
	Token  string `env:"MILEPOST_TOKEN" help:"Token (mp_…) of the sender; the variable keeps it out of the list of processes." placeholder:"TOKEN"`
}

func (s server) client() (*client, error) { return newClient(s.Server, s.http()) }

// producer gives the client of what publishes.
func (s server) producer() *producers.Client { return producers.NewClient(s.Server, s.http()) }

func (s server) http() *http.Client { return httpClient(s.Server, s.Token) }

type publishCommand struct {
	server
	File string `arg:"" optional:"" default:"-" help:"NDJSON file; - is standard input."`
	Wait bool   `help:"Return when the ledger knows the events."`

	Spool string `help:"Keep the events in this folder first, durably, and send them when the server is there." placeholder:"DIR" type:"path"`
	Flush bool   `help:"With --spool: read nothing, send what waits."`
}

// Run publishes the file and prints a receipt a line.
func (c *publishCommand) Run(env *environment) error {
	if c.Flush && (c.Spool == "" || c.File != "-") {
		return usageError("--flush", "", "it sends what waits in a spool, and reads no file", "publish --spool DIR --flush")
	}
	in := env.streams.In
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return usageError("FILE", c.File, "cannot read the file", err.Error())
		}
		defer file.Close()
		in = file
	}
	if c.Spool != "" {
		return c.publishSpooled(env, in)
	}
	client := c.producer()
	out := json.NewEncoder(env.streams.Out)
	out.SetEscapeHTML(false)
	refused := false
	err := client.Publish(env.ctx, in, c.Wait, func(r producers.Receipt) {
		refused = refused || r.Error != nil
		if err := out.Encode(r); err != nil {
			refused = true
		}
	})
	if err != nil {
		return err
	}
	if refused {
		return errRefused
	}
	return nil
}

type queryCommand struct {
	server
	SQL    string `arg:"" name:"sql" help:"One SELECT over the documented views; - reads it from standard input."`
	Format string `default:"table" help:"table, json, ndjson, csv, tsv, or a format of ClickHouse."`
}

// Run prints the result of a statement.
func (c *queryCommand) Run(env *environment) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	var sql io.Reader = strings.NewReader(c.SQL)
	if c.SQL == "-" {
		sql = env.streams.In
	}
	formats := map[string]string{"table": "PrettyCompactMonoBlock", "json": "JSON", "ndjson": "JSONEachRow", "csv": "CSVWithNames", "tsv": "TSVWithNames"}
	format, ok := formats[strings.ToLower(c.Format)]
	if !ok {
		format = c.Format
	}
	body, err := client.post(env.ctx, "/v1/query", url.Values{"format": {format}}, "text/plain; charset=utf-8", sql)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(env.streams.Out, body)
	return err
}

type versionCommand struct{}

// Run prints the version and what it was built with.
func (versionCommand) Run(env *environment) error {
	_, err := fmt.Fprintf(env.streams.Out, "milepost %s %s/%s %s\n", Version, runtime.GOOS, runtime.GOARCH, runtime.Version())
	return err
}

// Version is the release of this build.
const Version = "0.1.0"

func setIf(values url.Values, key, value string) {
	if value != "" {
		values.Set(key, value)
	}
}
