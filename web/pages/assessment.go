package pages

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"milepost/schemas"
)

// keptAssessments bounds the assessments that are kept for the pages.
const keptAssessments = 8

type assessmentKey struct {
	year  int
	known uint64
	// stored tells that the model is a file of an announced or finalised
	// assessment, which stays as it is.
	stored string
}

type assessmentContent struct {
	Year      int
	Years     []int
	Known     uint64
	Status    *schemas.EditionStatus // nil for a draft that nobody announced
	Stage     stage
	Groups    []assessedTable
	Unmatched []schemas.UnmatchedAdjustment
	Links     []link
	Media     []link // of the media edition
	// Corrections are the year's 更正, drafts too.
	Corrections []assessmentCorrection
	MayIssue    bool
	CanIssue    bool // announced and finalised is from now on
	Days        int
	Objections  []objection
	Done        string
	WrongAct    string
	Wrong       *schemas.Error
	Typed       url.Values
}

// Problem gives why a form was refused, nil for the others.
func (c *assessmentContent) Problem(act string) *schemas.Error {
	if c.WrongAct != act {
		return nil
	}
	return c.Wrong
}

type assessedTable struct {
	Name string
	Rows []assessedRow
}

type assessedRow struct {
	schemas.AssessedRow
	Kind, Address string
}

type objection struct{ When, Row, Text string }

// assessmentCorrection is a 更正 of an assessment, with the ways to its preview
// in both editions.
type assessmentCorrection struct {
	Name     string
	Stage    stage
	KnownSeq uint64
	Remark   string
	Previews []link
}

var groupKindNames = map[string]string{"district": "县(市)区", "department": "市直部门", "lead": "市级领导"}

// itemNames and what their numerator and divisor count.
var itemNames = map[string][3]string{
	"landed":     {"落地", "按期数加逾期数的一半", "应考核节点数"},
	"started":    {"开工", "按期数加逾期数的一半", "应考核节点数"},
	"producing":  {"投产", "按期数加逾期数的一半", "应考核节点数"},
	"ledger":     {"台账", "七个一平均落实率 × 按时报送月数", "应报送月数"},
	"investment": {"投资", "完成投资（万元）", "年度计划（万元）"},
}

var hintNames = map[schemas.Hint]string{schemas.HintReward: "表扬", schemas.HintExplain: "说明情况", schemas.HintAccountability: "问责提示"}

// assessments answers GET /assessment with the year that is at hand: the latest
// that was announced or finalised, else the last.
func (p *Pages) assessments(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Desk.Editions(r.Context())
	if err != nil {
		return err
	}
	years := assessedYears(list)
	year := schemas.DateOf(p.Now()).Year() - 1
	if len(years) > 0 {
		year = max(year, years[0])
	}
	http.Redirect(w, r, "/assessment/"+strconv.Itoa(year), http.StatusSeeOther)
	return nil
}

// assessedYears lists the years that were announced or finalised, the latest
// first.
func assessedYears(list []schemas.EditionStatus) []int {
	var years []int
	for _, s := range list {
		if year := yearOf(s.Period); s.Kind == schemas.AssessmentKind && !slices.Contains(years, year) {
			years = append(years, year)
		}
	}
	slices.Sort(years)
	slices.Reverse(years)
	return years
}

// correctionsOf lists the year's 更正, the latest first.
func correctionsOf(list []schemas.EditionStatus, year int, today schemas.Date) []assessmentCorrection {
	var corrections []assessmentCorrection
	for _, s := range list {
		if s.Kind != schemas.AssessmentKind || yearOf(s.Period) != year || s.ID == assessmentID(year) {
			continue
		}
		one := assessmentCorrection{Name: s.ID, Stage: stageOf(s, today), KnownSeq: s.KnownSeq}
		if s.Number != nil {
			one.Name = fmt.Sprintf("第 %d 期", *s.Number)
		}
		if s.Draft != nil {
			one.Remark = s.Draft.Remark
		}
		address := "/bulletins/" + url.PathEscape(s.ID) + "/preview"
		one.Previews = []link{{"正式版", address, ""}, {"媒体版", address + "?edition=media", ""}}
		corrections = append(corrections, one)
	}
	slices.SortStableFunc(corrections, func(a, b assessmentCorrection) int { return cmp.Compare(b.KnownSeq, a.KnownSeq) })
	return corrections
}

// assessmentID is the id of the year's assessment.
func assessmentID(year int) string { return fmt.Sprintf("assessment-%d", year) }

// assessment answers GET /assessment/{year}.
func (p *Pages) assessment(w http.ResponseWriter, r *http.Request) error {
	return p.showAssessment(w, r, http.StatusOK, &assessmentContent{Done: doneWords[r.FormValue("done")]})
}

func (p *Pages) showAssessment(w http.ResponseWriter, r *http.Request, status int, c *assessmentContent) error {
	ctx := r.Context()
	model, err := p.readAssessment(ctx, r.PathValue("year"), c)
	if err != nil {
		return err
	}
	list, err := p.Desk.Editions(ctx)
	if err != nil {
		return err
	}
	today := schemas.DateOf(p.Now())
	c.Years, c.Corrections = assessedYears(list), correctionsOf(list, c.Year, today)
	for year := today.Year(); year >= today.Year()-2; year-- {
		if !slices.Contains(c.Years, year) {
			c.Years = append(c.Years, year)
		}
	}
	slices.Sort(c.Years)
	slices.Reverse(c.Years)
	c.MayIssue, c.CanIssue = mayIssue(r), today.Year() > c.Year
	c.Unmatched = model.UnmatchedAdjustments
	rules := p.Rules.OfYear(c.Year)
	for _, group := range model.Groups {
		table := assessedTable{Name: groupKindNames[group.Kind]}
		if group.Group != nil {
			for _, g := range rules.Groups {
				if g.Code == *group.Group {
					table.Name += " · " + g.Name
				}
			}
		}
		for _, row := range group.Rows {
			table.Rows = append(table.Rows, assessedRow{row, group.Kind, p.rowAddress(c.Year, group.Kind, row.Key)})
		}
		slices.SortStableFunc(table.Rows, func(a, b assessedRow) int { return cmp.Compare(placeOf(a), placeOf(b)) })
		c.Groups = append(c.Groups, table)
	}
	if c.Status != nil {
		c.Links, c.Media = assessmentLinks(*c.Status, c.Status.ID), assessmentLinks(*c.Status, c.Status.ID+"-media")
		for _, one := range c.Status.Objections {
			row, text := splitObjection(one.Text)
			c.Objections = append(c.Objections, objection{moment(one.At), p.rowName(model, row), text})
		}
	} else {
		for _, format := range documentFormats {
			address := fmt.Sprintf("/v1/assessments/%d?format=%s&known=%d", c.Year, format[1], c.Known)
			name, media := fmt.Sprintf("assessment-%d.%s", c.Year, format[1]), fmt.Sprintf("assessment-%d-media.%s", c.Year, format[1])
			if format[1] == "html" {
				name, media = "", ""
			}
			c.Links, c.Media = append(c.Links, link{format[0], address, name}), append(c.Media, link{format[0], address + "&edition=media", media})
		}
	}
	return p.show(w, r, status, "assessment", fmt.Sprintf("%d 年考核", c.Year), c)
}

// placeOf orders rows by rank; those without one come last.
func placeOf(row assessedRow) int {
	if row.Rank == nil {
		return math.MaxInt
	}
	return *row.Rank
}

func (p *Pages) rowAddress(year int, kind, key string) string {
	return fmt.Sprintf("/assessment/%d/%s/%s", year, kind, url.PathEscape(key))
}

func splitObjection(text string) (row, said string) {
	for i := range text {
		if text[i] == ':' {
			return text[:i], text[min(len(text), i+2):]
		}
	}
	return "", text
}

// rowName says district/xiuwu as 修武县.
func (p *Pages) rowName(model *schemas.Assessment, row string) string {
	for _, group := range model.Groups {
		for _, one := range group.Rows {
			if group.Kind+"/"+one.Key == row {
				return one.Name
			}
		}
	}
	return row
}

// readAssessment gives the model of the year: as it was announced or finalised,
// else as it is known now.
func (p *Pages) readAssessment(ctx context.Context, text string, c *assessmentContent) (*schemas.Assessment, error) {
	year, err := schemas.ParseYear(text)
	if err != nil {
		return nil, err
	}
	c.Year = year
	c.Stage = stage{stageNone, "草稿"}
	status, err := p.Desk.Edition(ctx, assessmentID(year))
	switch {
	case err == nil:
		c.Status, c.Known = &status, status.KnownSeq
		c.Stage = stageOf(status, schemas.DateOf(p.Now()))
		if file := fileOf(status, status.ID+".json"); file != nil {
			return p.assessed.get(ctx, assessmentKey{year, status.KnownSeq, file.Name})
		}
	case schemas.CodeOf(err) != schemas.NotFound:
		return nil, err
	default:
		if c.Known, err = p.Knowledge.Watermark(ctx); err != nil {
			return nil, err
		}
	}
	return p.assessed.get(ctx, assessmentKey{year: year, known: c.Known})
}

// makeAssessment serves the shelf.
func (p *Pages) makeAssessment(ctx context.Context, key assessmentKey) (*schemas.Assessment, error) {
	if key.stored == "" {
		return p.Desk.Assess(ctx, key.year, key.known)
	}
	text, _, err := p.Desk.EditionFile(ctx, assessmentID(key.year), key.stored)
	if err != nil {
		return nil, err
	}
	var model schemas.Assessment
	if err := json.Unmarshal(text, &model); err != nil {
		return nil, fmt.Errorf("%s: %w", key.stored, err)
	}
	return &model, nil
}

// actOnAssessment answers POST /assessment/{year}/….
func (p *Pages) actOnAssessment(act string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := r.ParseForm(); err != nil {
			return &schemas.Error{Code: schemas.Malformed, Message: "the form does not read", Err: err}
		}
		year, err := schemas.ParseYear(r.PathValue("year"))
		if err != nil {
			return err
		}
		err = p.issueAssessment(r.Context(), act, year, r.PostForm)
		if err == nil {
			http.Redirect(w, r, fmt.Sprintf("/assessment/%d?done=%s", year, act), http.StatusSeeOther)
			return nil
		}
		var wrong *schemas.Error
		if !errors.As(err, &wrong) {
			return err
		}
		p.refused(r.Context(), wrong.Code)
		return p.showAssessment(w, r, wrong.Code.Status(), &assessmentContent{WrongAct: act, Wrong: inChinese(wrong), Typed: r.PostForm})
	}
}

func (p *Pages) issueAssessment(ctx context.Context, act string, year int, form url.Values) error {
	if act != "object" {
		if err := confirmed(form); err != nil {
			return err
		}
	}
	switch act {
	case "announce":
		days, err := strconv.Atoi(form.Get("days"))
		if err != nil || days < 1 {
			return &schemas.Error{Code: schemas.Invalid, Field: "days", Value: schemas.Shorten(form.Get("days")), Message: "not a number of days"}
		}
		_, err = p.Desk.Announce(ctx, year, days, form.Get("again") == "yes")
		return err
	case "object":
		_, err := p.Desk.Object(ctx, year, form.Get("group"), form.Get("key"), plainText(form.Get("text")))
		return err
	}
	return p.Desk.Finalise(ctx, year)
}
