package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"text/tabwriter"

	"milepost/scheduler/render"
	"milepost/schemas"
)

type editionsCommand struct {
	server
	JSON bool `help:"Print JSON."`
}

// Run lists drafts and editions.
func (c *editionsCommand) Run(env *environment) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	body, err := client.get(env.ctx, "/v1/editions", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if c.JSON {
		return printIndented(env.streams.Out, body)
	}
	var list []schemas.EditionStatus
	if err := json.NewDecoder(body).Decode(&list); err != nil {
		return fmt.Errorf("the server's editions do not read: %w", err)
	}
	return printEditions(env.streams.Out, list)
}

func printIndented(w io.Writer, body io.Reader) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(text), "", "  "); err != nil {
		return fmt.Errorf("the server's answer does not read: %w", err)
	}
	_, err = fmt.Fprintln(w, out.String())
	return err
}

func editionStateName(s schemas.EditionStatus) string {
	if s.State == schemas.EditionDrafted && s.Draft != nil && s.Draft.Approved != nil {
		return "已批准"
	}
	return map[schemas.EditionState]string{schemas.EditionDrafted: "草案", schemas.EditionReturned: "退回", schemas.EditionAnnounced: "公示",
		schemas.EditionPublished: "已发布", schemas.EditionWithdrawn: "已撤回"}[s.State]
}

func printEditions(w io.Writer, list []schemas.EditionStatus) error {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "编号\t类别\t期间\t期号\t状态\t数据版本\t文件\t说明")
	for _, s := range list {
		number := "-"
		if s.Number != nil {
			number = fmt.Sprintf("第%d期", *s.Number)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", s.ID, s.Kind, s.Period, number, editionStateName(s), s.KnownSeq, len(s.Files), orDash(editionNote(s)))
	}
	return out.Flush()
}

// editionNote says what the columns do not: the latest of what people did.
func editionNote(s schemas.EditionStatus) string {
	switch {
	case s.Withdrawn != nil:
		return s.Withdrawn.Reason
	case s.Corrects != nil:
		return fmt.Sprintf("更正第%d期", *s.Corrects)
	case s.State == schemas.EditionAnnounced && s.Until != nil:
		return fmt.Sprintf("公示至%s，异议%d条", s.Until, len(s.Objections))
	case s.State == schemas.EditionReturned && s.Draft != nil && len(s.Draft.Returns) > 0:
		return s.Draft.Returns[len(s.Draft.Returns)-1].Text
	case s.State == schemas.EditionDrafted && s.Draft != nil && s.Draft.Consultation != nil:
		c := s.Draft.Consultation
		return fmt.Sprintf("征求意见至%s，%d个单位中%d个已答复", c.Until, len(c.Departments), len(c.Answers))
	}
	return ""
}

// act posts an act on an edition and prints what became of it.
func (s server) act(env *environment, path string, wish any, asJSON bool) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	text, err := json.Marshal(wish)
	if err != nil {
		return err
	}
	body, err := client.post(env.ctx, path, nil, "application/json", bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer body.Close()
	if asJSON {
		return printIndented(env.streams.Out, body)
	}
	var status schemas.EditionStatus
	if err := json.NewDecoder(body).Decode(&status); err != nil {
		return fmt.Errorf("the server's answer does not read: %w", err)
	}
	return printEditions(env.streams.Out, []schemas.EditionStatus{status})
}

// editionAct are the arguments of every act on an edition.
type editionAct struct {
	server
	ID   string `arg:"" help:"As milepost editions lists it, such as bulletin-2025-10; a period alone is its first bulletin."`
	JSON bool   `help:"Print JSON."`
}

func (c editionAct) do(env *environment, act string, wish map[string]any) error {
	return c.act(env, "/v1/editions/"+url.PathEscape(c.ID)+"/"+act, wish, c.JSON)
}

type draftCommand struct {
	editionAct
	Remarks string `help:"Your own paragraphs (YAML or JSON: instructions 领导批示, causes 原因分析, next 下步要求); without, those of the draft stay." placeholder:"FILE" type:"path"`
}

// Run drafts.
func (c *draftCommand) Run(env *environment) error {
	blocks, err := readBlocks(c.Remarks)
	if err != nil {
		return err
	}
	return c.do(env, "draft", map[string]any{"remarks": blocks})
}

// readBlocks reads an editor's own paragraphs; nil without a file.
func readBlocks(path string) (*schemas.EditorBlocks, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, usageError("--remarks", path, "cannot read the file", err.Error())
	}
	remarks, err := render.ReadRemarks(file)
	blocks := schemas.EditorBlocks(remarks)
	return &blocks, errors.Join(err, file.Close())
}

type approveCommand struct{ editionAct }

// Run approves.
func (c *approveCommand) Run(env *environment) error { return c.do(env, "approve", nil) }

type returnCommand struct {
	editionAct
	Remark string `required:"" help:"What is to be changed."`
}

// Run returns the draft.
func (c *returnCommand) Run(env *environment) error {
	return c.do(env, "return", map[string]any{"remark": c.Remark})
}

type publishEditionCommand struct{ editionAct }

// Run publishes.
func (c *publishEditionCommand) Run(env *environment) error { return c.do(env, "publish", nil) }

type withdrawCommand struct {
	editionAct
	Reason string `required:"" help:"Why; whoever asks for its files is told."`
}

// Run withdraws.
func (c *withdrawCommand) Run(env *environment) error {
	return c.do(env, "withdraw", map[string]any{"reason": c.Reason})
}

type correctCommand struct {
	editionAct
	Remark  string `help:"Why; needed when no figure changed."`
	Remarks string `help:"Your own paragraphs, as of draft." placeholder:"FILE" type:"path"`
	Draft   bool   `help:"Draft the correction only, for approval."`
}

// Run corrects.
func (c *correctCommand) Run(env *environment) error {
	blocks, err := readBlocks(c.Remarks)
	if err != nil {
		return err
	}
	return c.do(env, "correct", map[string]any{"remark": c.Remark, "remarks": blocks, "draft": c.Draft})
}

type consultCommand struct {
	editionAct
	Until      string   `help:"The last day for answers (YYYY-MM-DD)." placeholder:"DATE"`
	Department []string `help:"Who is asked; by default every department that the draft counts. May be given several times."`
	Close      bool     `help:"End the round early."`
}

// Run opens or closes a round.
func (c *consultCommand) Run(env *environment) error {
	if c.Close {
		return c.do(env, "consult", map[string]any{"close": true})
	}
	until, err := schemas.ParseDate(c.Until)
	if err != nil {
		return usageError("--until", c.Until, "not a day", "write YYYY-MM-DD, or --close to end the round")
	}
	return c.do(env, "consult", map[string]any{"departments": c.Department, "until": until})
}

type answerCommand struct {
	editionAct
	Text       string `required:"" help:"What the department says."`
	Department string `help:"Which one, when the token speaks for several."`
}

// Run answers.
func (c *answerCommand) Run(env *environment) error {
	return c.do(env, "answer", map[string]any{"text": c.Text, "department": c.Department})
}

type objectCommand struct {
	server
	Year  string `arg:"" help:"The announced year."`
	Group string `required:"" help:"district, department or lead."`
	Key   string `required:"" help:"The key of the row."`
	Text  string `required:"" help:"The objection."`
	JSON  bool   `help:"Print JSON."`
}

// Run records an objection.
func (c *objectCommand) Run(env *environment) error {
	year, err := schemas.ParseYear(c.Year)
	if err != nil {
		return err
	}
	return c.act(env, fmt.Sprintf("/v1/assessments/%d/object", year), map[string]any{"group": c.Group, "key": c.Key, "text": c.Text}, c.JSON)
}
