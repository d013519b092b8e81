package render

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// Bulletin composes the document of the model's edition.
func Bulletin(model *schemas.Bulletin, names Names) (*document.Document, error) {
	c, err := newComposer(model, names)
	if err != nil {
		return nil, err
	}
	if c.doc.Edition == document.Media {
		c.mediaDocument()
	} else if err := c.officialDocument(); err != nil {
		return nil, err
	}
	return &c.doc, nil
}

// composer writes the sections of one document.
type composer struct {
	model *schemas.Bulletin
	names Names
	style Style
	// projects names every project that the model or Names name.
	projects map[string]string
	doc      document.Document
	// blocks are those of the section being written.
	blocks []document.Block
	// headings counts those of the second level in it.
	headings int
}

func newComposer(model *schemas.Bulletin, names Names) (*composer, error) {
	if names.Rules == nil {
		return nil, &schemas.Error{Code: schemas.Internal, Message: "a bulletin is printed with the rules that it was built with", Field: "rules"}
	}
	edition := names.edition()
	if edition == document.Media && names.Details == nil {
		return nil, &schemas.Error{Code: schemas.Internal, Message: "a media edition is printed with the ledger: it says which projects are withheld", Field: "details"}
	}
	c := &composer{model: model, names: names, style: names.Style.withDefaults(edition), projects: projectNames(model, names)}
	c.doc.Edition, c.doc.Name = edition, "bulletin-"+model.Period+"-"+string(edition)
	c.doc.Number = "草案"
	if model.IssueNo != nil {
		c.doc.Number = fmt.Sprintf("第%d期", *model.IssueNo)
	}
	return c, nil
}

// visible tells whether the edition may show the project.
func (c *composer) visible(id string) bool {
	if c.doc.Edition != document.Media {
		return true
	}
	s := c.names.Details.Standing(id)
	return s != nil && !s.Withheld
}

// writers are the sections of an edition by key.
func (c *composer) writers() map[string]func() {
	return map[string]func(){
		sectionOverview: c.overview, sectionReached: c.reached, sectionRankings: c.rankings, sectionLagging: c.lagging, sectionUnreported: c.unreported,
		sectionIssues: c.issues, sectionMethod: c.method, sectionUpcoming: c.upcoming, sectionQuality: c.quality, sectionNotes: c.notes,
	}
}

// writeSections writes the style's sections; numbered ones are headed 一、二、.
func (c *composer) writeSections(writers map[string]func(), numbered bool) {
	for _, key := range c.style.Sections[c.doc.Edition] {
		if key == sectionUnreported && c.weekly() {
			continue
		}
		c.blocks, c.headings = nil, 0
		if write := writers[key]; write != nil {
			write()
		} else {
			c.blocks = editorBlocks(c.names.Remarks.of(key))
		}
		if len(c.blocks) == 0 {
			continue
		}
		heading := c.style.Headings[key]
		if numbered {
			heading = chineseOrdinal(len(c.doc.Sections)+1) + "、" + heading
		}
		c.doc.Sections = append(c.doc.Sections, document.Section{Key: key, Heading: heading, Blocks: c.blocks})
	}
}

// weekly tells whether it is the digest of a week: reports are due by the month,
// so that a week says nothing of those that are missing.
func (c *composer) weekly() bool { return c.model.Kind == schemas.Week }

// restated are the restatements of what the bulletin speaks of.
func (c *composer) restated() []schemas.Restatement {
	if !c.weekly() {
		return c.model.Restatements
	}
	return slices.DeleteFunc(slices.Clone(c.model.Restatements), func(r schemas.Restatement) bool {
		return strings.HasPrefix(r.Path, sectionUnreported)
	})
}

func (c *composer) officialDocument() error {
	period, model := schemas.PeriodContaining(c.model.Kind, c.model.PeriodEnd), c.model
	c.doc.Title = titleParts(model.Title)
	c.doc.Facts = []string{"数据截至" + chineseDate(model.PeriodEnd), "投资报告月" + chineseMonth(model.ReportingMonth), fmt.Sprintf("数据版本%d", model.KnownSeq)}
	c.doc.Head = &document.Head{Mark: c.style.Mark, Reference: reference(c.style.Reference, period.IssueYear(), model.IssueNo), Addressees: c.style.Addressees}
	c.writeSections(c.writers(), true)
	c.chartsAnnex()
	c.doc.Sections = append(c.doc.Sections, document.Section{Key: "closing", Blocks: []document.Block{&document.Paragraph{Text: document.Words(c.style.Closing)}}})
	c.sign()
	c.doc.Sources = bulletinSources{period: period, known: model.KnownSeq, end: model.PeriodEnd}
	var data bytes.Buffer
	if err := writeJSON(&data, machineAnnex{Model: model, Projects: c.variances()}); err != nil {
		return fmt.Errorf("bulletin %s: machine-readable annex: %w", model.Period, err)
	}
	c.doc.Data = data.Bytes()
	return nil
}

func (c *composer) sign() {
	c.doc.Signature = &document.Signature{Body: c.style.Body, Day: signedDay(c.names.Signed), Contact: c.style.Contact}
	c.doc.Imprint = &document.Imprint{Copies: c.style.Copies, Body: c.style.Body, Day: signedDay(c.names.Signed)}
}

func signedDay(d schemas.Date) string {
	if d == 0 {
		return ""
	}
	return chineseDate(d)
}

// reference fills the pattern of the 发文字号; a draft has none.
func reference(pattern string, year int, number *int) string {
	if pattern == "" || number == nil {
		return ""
	}
	return strings.NewReplacer("{year}", fmt.Sprint(year), "{number}", fmt.Sprint(*number)).Replace(pattern)
}

// titleParts tells where a title may be broken: after the period's name.
func titleParts(title string) []string {
	if i := strings.Index(title, "重大项目"); i > 0 {
		return []string{title[:i], title[i:]}
	}
	return []string{title}
}

// Blocks of the section being written.

func (c *composer) add(b document.Block) { c.blocks = append(c.blocks, b) }
func (c *composer) say(parts ...any)     { c.add(&document.Paragraph{Text: line(parts...)}) }
func (c *composer) sayNone()             { c.say(none) }

func (c *composer) heading(name string) {
	c.headings++
	if c.doc.Edition == document.Official {
		name = "（" + chineseOrdinal(c.headings) + "）" + name
	}
	c.add(&document.Heading{Level: 2, Text: name})
}

// annex moves blocks out of the main text and gives the name to refer to.
func (c *composer) annex(key, title string, landscape bool, blocks ...document.Block) string {
	label := fmt.Sprintf("附件%d", len(c.doc.Annexes)+1)
	c.doc.Annexes = append(c.doc.Annexes, document.Annex{Key: key, Label: label, Title: title, Landscape: landscape, Blocks: blocks})
	return label
}

// place puts a short table in the text, and a long one into an annex with its
// first names in the text. A media edition shows the first rows instead: it has
// no annexes.
func (c *composer) place(title string, t *document.Table, names []document.Text, introduction, things string) {
	if len(t.Rows) <= c.style.RowsInText {
		c.add(t)
		return
	}
	total := len(t.Rows)
	if c.doc.Edition == document.Media {
		t.Rows = t.Rows[:c.style.RowsInText]
		c.add(t)
		c.say(fmt.Sprintf("以上为前%d%s，共%d%s。", c.style.RowsInText, things, total, things))
		return
	}
	annex := c.annex(t.Key, title, false, t)
	first := line(introduction)
	for i, name := range names[:namesInText] {
		if i > 0 {
			first = line(first, "、")
		}
		first = line(first, name)
	}
	c.say(first, fmt.Sprintf("等。全部%d%s见%s。", total, things, annex))
}

func projectNames(model *schemas.Bulletin, names Names) map[string]string {
	all := make(map[string]string, len(names.Projects)+len(model.Lagging))
	if names.Details != nil {
		for i := range names.Details.Ledger.Standings {
			s := &names.Details.Ledger.Standings[i]
			all[s.ProjectID] = s.Name
		}
	}
	for id, name := range names.Projects {
		all[id] = name
	}
	for i := range model.Lagging {
		all[model.Lagging[i].ProjectID] = model.Lagging[i].Name
	}
	for i := range model.Reached {
		all[model.Reached[i].ProjectID] = model.Reached[i].Name
	}
	for i := range model.Upcoming {
		all[model.Upcoming[i].ProjectID] = model.Upcoming[i].Name
	}
	for i := range model.Cancelled {
		all[model.Cancelled[i].ProjectID] = model.Cancelled[i].Name
	}
	return all
}
