package pages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"milepost/schemas"
)

type editionContent struct {
	schemas.EditionStatus
	Stage    stage
	Name     string // of the period and the kind
	Drafted  bool   // there is a draft or an edition
	Editable bool
	MayIssue bool
	// Seen is the draft that the page shows; an act on another is refused.
	Seen         string
	Reading      string // the edition that the preview shows
	Prints       []printing
	Now          []link // of what is known now, while there is no draft
	Waiting      []string
	RoundOpen    bool
	Restatements []restatement
	RestatedMore int
	Unrestated   *schemas.Error // why the restatements are not there
	Blocks       []ownBlock
	Tomorrow     schemas.Date
	Done         string
	// WrongAct is the form that was refused with Wrong, and Typed what it said.
	WrongAct string
	Wrong    *schemas.Error
	Typed    url.Values
}

// ownBlock is one kind of the editor's own paragraphs, one a line.
type ownBlock struct {
	Field, Name, Hint, Text, Stored string
}

// Problem gives why a form was refused, nil for the others.
func (c *editionContent) Problem(act string) *schemas.Error {
	if c.WrongAct != act {
		return nil
	}
	return c.Wrong
}

// Said gives what was typed into a refused form.
func (c *editionContent) Said(act, field string) string {
	if c.WrongAct != act {
		return ""
	}
	return c.Typed.Get(field)
}

// Astray gives the problem of a form that the page no longer has: others acted
// in between.
func (c *editionContent) Astray() *schemas.Error {
	shown := map[string]bool{
		"draft": c.Editable, "approve": c.Stage.Key == stageWaiting || c.Stage.Key == stageAsked, "publish": c.Stage.Key == stageApproved,
		"return":  c.Stage.Key == stageWaiting || c.Stage.Key == stageAsked || c.Stage.Key == stageApproved,
		"correct": c.Stage.Key == stagePublished || c.Stage.Key == stageWithdrawn, "withdraw": c.Stage.Key == stagePublished,
		"consult": c.Editable && c.Drafted, "close": c.RoundOpen,
	}
	if c.Wrong == nil || shown[c.WrongAct] {
		return nil
	}
	return c.Wrong
}

// doneWords say what an act did.
var doneWords = map[string]string{
	"draft": "已起草。", "approve": "已签发，可以发布。", "return": "已退回，意见已记下。", "publish": "已发布。", "withdraw": "已撤回。", "correct": "已按现在已知的内容起草更正，签发后发布。",
	"consult": "已发起征求意见。", "close": "征求意见已结束。", "answer": "答复已记下。", "announce": "已公示。", "object": "异议已记下。", "finalise": "已定稿。",
}

// edition answers GET /bulletins/{id} with one draft or edition.
func (p *Pages) edition(w http.ResponseWriter, r *http.Request) error {
	c, err := p.readEdition(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	c.Done = doneWords[r.FormValue("done")]
	return p.showEdition(w, r, http.StatusOK, c)
}

func (p *Pages) showEdition(w http.ResponseWriter, r *http.Request, status int, c *editionContent) error {
	if c.Kind == schemas.AssessmentKind {
		http.Redirect(w, r, editionPath(c.EditionStatus), http.StatusSeeOther)
		return nil
	}
	c.MayIssue = mayIssue(r)
	c.Reading = "official"
	if r.FormValue("edition") == "media" {
		c.Reading = "media"
	}
	c.Blocks = c.ownBlocks()
	if c.Drafted && c.State != schemas.EditionWithdrawn {
		restated, err := p.restated.get(r.Context(), restatedKey{c.ID, c.KnownSeq, c.RulesHash})
		if err != nil {
			// The edition is worked on all the same.
			if c.Unrestated = chineseError(err); c.Unrestated == nil {
				return err
			}
		}
		c.Restatements = restated
		if c.RestatedMore = len(restated) - maxRestatements; c.RestatedMore > 0 {
			c.Restatements = restated[:maxRestatements]
		}
		w.Header().Set("Content-Security-Policy", contentPolicy+"; frame-src 'self'")
	}
	return p.show(w, r, status, "edition", c.Name, c)
}

// readEdition reads what the page shows; a period that nobody drafted has a
// page, too.
func (p *Pages) readEdition(ctx context.Context, id string) (*editionContent, error) {
	today := schemas.DateOf(p.Now())
	c := &editionContent{Tomorrow: today + 1, Stage: stage{stageNone, stageNamesOf[stageNone]}}
	status, err := p.Desk.Edition(ctx, id)
	if schemas.CodeOf(err) == schemas.NotFound {
		period, bad := schemas.ParsePeriod(strings.TrimPrefix(id, "bulletin-"))
		if bad != nil {
			return nil, err // nothing of this name is ever drafted
		}
		c.EditionStatus = schemas.EditionStatus{ID: bulletinID(period), Kind: string(period.Kind), Period: period.String()}
		c.Now = documents("/v1/bulletins/" + period.String())
	} else if err != nil {
		return nil, err
	} else {
		c.EditionStatus, c.Drafted, c.Stage, c.Prints = status, true, stageOf(status, today), prints(status)
	}
	c.Name = c.Period + " " + kindNames[c.Kind]
	if c.Number != nil {
		c.Name += fmt.Sprintf(" 第 %d 期", *c.Number)
	}
	if c.Draft != nil {
		c.Seen = seenDraft(c.Draft)
		if round := c.Draft.Consultation; round != nil {
			c.RoundOpen = openRound(round, today)
			c.Waiting = unanswered(round)
		}
	}
	c.Editable = c.State == "" || c.State == schemas.EditionDrafted || c.State == schemas.EditionReturned
	return c, nil
}

func unanswered(round *schemas.Consultation) []string {
	var waiting []string
	for _, department := range round.Departments {
		if !slices.ContainsFunc(round.Answers, func(a schemas.ConsultationAnswer) bool { return a.Department == department }) {
			waiting = append(waiting, department)
		}
	}
	return waiting
}

// seenDraft tells one state of a draft from another; answers of departments
// leave it as it is.
func seenDraft(d *schemas.EditionDraft) string {
	without := *d
	without.Consultation = nil
	text, err := json.Marshal(without)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func (c *editionContent) ownBlocks() []ownBlock {
	var stored schemas.EditorBlocks
	if c.Draft != nil {
		stored = c.Draft.Blocks
	}
	blocks := []ownBlock{
		{Field: "instructions", Name: "领导批示", Hint: "只印在正式版", Text: strings.Join(stored.Instructions, "\n")},
		{Field: "causes", Name: "原因分析", Text: strings.Join(stored.Causes, "\n")},
		{Field: "next", Name: "下步要求", Text: strings.Join(stored.Next, "\n")},
	}
	if c.WrongAct == "draft" {
		for i := range blocks {
			if typed := c.Typed.Get(blocks[i].Field); strings.TrimSpace(typed) != strings.TrimSpace(blocks[i].Text) {
				blocks[i].Text, blocks[i].Stored = typed, blocks[i].Text
			}
		}
	}
	return blocks
}

// paragraphs reads a text with one paragraph a line.
func paragraphs(text string) []string {
	list := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// editionActs are what a form does, by the last part of its address. Those that
// look at what was seen are refused when the draft is another now.
func (p *Pages) editionActs() map[string]func(ctx context.Context, id string, form url.Values) (schemas.EditionStatus, error) {
	return map[string]func(context.Context, string, url.Values) (schemas.EditionStatus, error){
		"draft": func(ctx context.Context, id string, form url.Values) (schemas.EditionStatus, error) {
			if form.Has("causes") || form.Has("next") || form.Has("instructions") {
				return p.Desk.DraftEdition(ctx, id, &schemas.EditorBlocks{Instructions: paragraphs(form.Get("instructions")), Causes: paragraphs(form.Get("causes")), Next: paragraphs(form.Get("next"))})
			}
			return p.Desk.DraftEdition(ctx, id, nil)
		},
		"approve": func(ctx context.Context, id string, _ url.Values) (schemas.EditionStatus, error) {
			return p.Desk.Approve(ctx, id)
		},
		"return": func(ctx context.Context, id string, form url.Values) (schemas.EditionStatus, error) {
			return p.Desk.Return(ctx, id, plainText(form.Get("remark")))
		},
		"publish": func(ctx context.Context, id string, form url.Values) (schemas.EditionStatus, error) {
			if err := confirmed(form); err != nil {
				return schemas.EditionStatus{}, err
			}
			return p.Desk.PublishEdition(ctx, id)
		},
		"withdraw": func(ctx context.Context, id string, form url.Values) (schemas.EditionStatus, error) {
			if err := confirmed(form); err != nil {
				return schemas.EditionStatus{}, err
			}
			return p.Desk.Withdraw(ctx, id, plainText(form.Get("reason")))
		},
		"correct": func(ctx context.Context, id string, form url.Values) (schemas.EditionStatus, error) {
			return p.Desk.CorrectEdition(ctx, id, plainText(form.Get("remark")), nil, true)
		},
		"consult": func(ctx context.Context, id string, form url.Values) (schemas.EditionStatus, error) {
			until, err := schemas.ParseDate(strings.TrimSpace(form.Get("until")))
			if err != nil {
				return schemas.EditionStatus{}, err
			}
			return p.Desk.Consult(ctx, id, paragraphs(strings.NewReplacer("、", "\n", "，", "\n").Replace(form.Get("departments"))), until)
		},
		"close": func(ctx context.Context, id string, _ url.Values) (schemas.EditionStatus, error) {
			return p.Desk.CloseConsultation(ctx, id)
		},
	}
}

// plainText takes the line ends of browsers back.
func plainText(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
}

func confirmed(form url.Values) error {
	if form.Get("confirm") == "" {
		return &schemas.Error{Code: schemas.Invalid, Field: "confirm", Message: "not confirmed"}
	}
	return nil
}

// actOn answers POST /bulletins/{id}/… : it acts and shows the edition, or shows
// beside the form why not.
func (p *Pages) actOn(act string) func(http.ResponseWriter, *http.Request) error {
	do := p.editionActs()[act]
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := r.ParseForm(); err != nil {
			return &schemas.Error{Code: schemas.Malformed, Message: "the form does not read", Err: err}
		}
		before, err := p.readEdition(r.Context(), r.PathValue("id"))
		if err != nil {
			return err
		}
		status := before.EditionStatus
		// A second click finds done what it asks for.
		if !before.already(act, r.PostForm) {
			if seen := r.PostForm.Get("seen"); r.PostForm.Has("seen") && seen != before.Seen {
				err = &schemas.Error{Code: schemas.Conflict, Field: "seen", Message: "the draft was changed meanwhile"}
			} else {
				status, err = do(r.Context(), before.ID, r.PostForm)
			}
		}
		if err == nil {
			http.Redirect(w, r, editionPath(status)+"?done="+act, http.StatusSeeOther)
			return nil
		}
		var wrong *schemas.Error
		if !errors.As(err, &wrong) {
			return err
		}
		after, err := p.readEdition(r.Context(), before.ID)
		if err != nil {
			return err
		}
		p.refused(r.Context(), wrong.Code)
		after.WrongAct, after.Wrong, after.Typed = act, inChinese(wrong), r.PostForm
		return p.showEdition(w, r, wrong.Code.Status(), after)
	}
}

// already tells whether the edition is as the act would make it.
func (c *editionContent) already(act string, form url.Values) bool {
	switch act {
	case "approve":
		return c.Stage.Key == stageApproved && form.Get("seen") == seenBeforeApproval(c.Draft)
	case "publish":
		return c.Stage.Key == stagePublished && form.Get("confirm") != ""
	case "return":
		return c.Stage.Key == stageReturned && c.Draft.Returns[len(c.Draft.Returns)-1].Text == plainText(form.Get("remark"))
	}
	return false
}

// seenBeforeApproval is what a page showed of an approved draft before.
func seenBeforeApproval(d *schemas.EditionDraft) string {
	before := *d
	before.Approved = nil
	return seenDraft(&before)
}

// refused tells the audit why an act was refused.
func (p *Pages) refused(ctx context.Context, code schemas.Code) {
	if p.NoteRefusal != nil {
		p.NoteRefusal(ctx, code)
	}
}

// registerEditing adds the routes of the editor's pages.
func (p *Pages) registerEditing(mux *http.ServeMux) {
	mux.HandleFunc("GET /bulletins/{id}", p.page(p.edition))
	mux.HandleFunc("GET /bulletins/{id}/preview", p.printed)
	// Whoever asks again for the address that a refused form was sent to.
	back := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.TrimSuffix(r.URL.EscapedPath(), "/"+url.PathEscape(r.PathValue("act"))), http.StatusSeeOther)
	}
	mux.HandleFunc("GET /bulletins/{id}/{act}", back)
	mux.HandleFunc("GET /assessment/{year}/{act}", back)
	for act := range p.editionActs() {
		mux.HandleFunc("POST /bulletins/{id}/"+act, p.page(p.actOn(act)))
	}
	mux.HandleFunc("GET /query/dictionary", p.page(p.findColumns))
	mux.HandleFunc("GET /answers", p.page(p.answers))
	mux.HandleFunc("GET /answers/{id}", p.page(p.asked))
	mux.HandleFunc("POST /answers/{id}", p.page(p.answer))
	mux.HandleFunc("GET /assessment", p.page(p.assessments))
	mux.HandleFunc("GET /assessment/{year}", p.page(p.assessment))
	mux.HandleFunc("GET /assessment/{year}/{kind}/{key}", p.page(p.assessmentRow))
	for _, act := range []string{"announce", "finalise", "object"} {
		mux.HandleFunc("POST /assessment/{year}/"+act, p.page(p.actOnAssessment(act)))
	}
}
