package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"milepost/schemas"
)

// shownForm is a form as its page draws it.
type shownForm struct {
	Key, Name, Intro string
	Action           string
	Subject          *shownField // nil for what is about no project
	Fields           []shownField
	Files            bool // the form carries files
	Empty            string
	Keep             []hidden
}

// hidden is a field that is sent along.
type hidden struct{ Name, Value string }

// mostListed bounds the projects in a list; of more, one writes the id.
const mostListed = 400

// reportForm answers GET /report/{form}?district=&subject=.
func (p *Pages) reportForm(w http.ResponseWriter, r *http.Request) error {
	c, form, err := p.formPage(r)
	if err != nil {
		return err
	}
	c.Given["subject"] = strings.TrimSpace(r.FormValue("subject"))
	if form.Subject == ofIssue {
		c.Given["subject"] = c.issueChoice(r.FormValue("subject"), r.FormValue("issue_id"))
	}
	if c.Given["subject"] == "" {
		delete(c.Given, "subject")
	}
	c.draw(&form)
	return p.show(w, r, http.StatusOK, "reportform", form.Name, c)
}

// formPage finds the form that a request names, and its office.
func (p *Pages) formPage(r *http.Request) (*reportContent, eventForm, error) {
	form, found := formOf(r.PathValue("form"))
	if !found {
		return nil, form, &schemas.Error{Code: schemas.NotFound, Field: "form", Value: schemas.Shorten(r.PathValue("form")), Message: "no such form", Hint: "begin at the report page"}
	}
	c, err := p.reportOf(r, form.Key)
	if err != nil {
		return nil, form, err
	}
	if !form.sentBy(c.City(), c.department) {
		if c.department {
			return nil, form, &schemas.Error{Code: schemas.Forbidden, Field: "type", Message: "a department sends issues and progress", Hint: "let the office of the district send it"}
		}
		return nil, form, &schemas.Error{Code: schemas.Forbidden, Field: "type", Message: "only the city office says this", Hint: "ask the city office to send it"}
	}
	c.fields = form.of(c.City())
	return c, form, nil
}

// sendForm answers POST /report/{form}.
func (p *Pages) sendForm(w http.ResponseWriter, r *http.Request) error {
	files, err := readFiles(w, r)
	if err != nil {
		return err
	}
	c, form, err := p.formPage(r)
	if err != nil {
		return err
	}
	c.Form = form.Key
	if err := p.fillIn(r, c, files); err != nil {
		return err
	}
	c.Given["subject"] = strings.TrimSpace(r.FormValue("subject"))
	if c.Failed == 0 {
		if err := p.sendDrafts(r, c, []draft{c.draftOf(&form)}); err != nil {
			return err
		}
	}
	c.draw(&form)
	return p.show(w, r, c.status(), "reportform", form.Name, c)
}

// fillIn takes what was filled in, and keeps the files; a file that is not kept
// is told beside its field.
func (p *Pages) fillIn(r *http.Request, c *reportContent, files []upload) error {
	for _, f := range c.fields {
		for _, name := range f.inputs(c.Today) {
			c.Given[name] = strings.TrimSpace(r.FormValue(name))
		}
	}
	kept, err := p.keepFiles(r, files)
	c.kept = kept
	if err == nil {
		return nil
	}
	e, ok := err.(*schemas.Error)
	if !ok {
		return err
	}
	c.Failed++
	c.Wrong["evidence"] = inChinese(e)
	return nil
}

// draftOf makes the event that the form says.
func (c *reportContent) draftOf(form *eventForm) draft {
	d := draft{subject: c.Given["subject"], typ: form.Type, data: c.data(c.fields)}
	switch form.Subject {
	case ofNone:
		d.subject, d.what = "_office", form.Name+" "+c.Given["target.key"]
		return d
	case ofNew:
		d.what = form.Name + " " + c.Given["name"]
		return d
	case ofIssue:
		project, issue, _ := strings.Cut(d.subject, "|")
		d.subject = project
		if given := issue; given != "" {
			d.data["issue_id"] = given
		}
		d.what = c.nameOf(project) + " 问题销号 " + issue
		return d
	}
	d.what = c.nameOf(d.subject) + " " + form.Name
	for _, word := range []string{milestoneWord(c.Given["milestone"]), c.Given["issue_id"], c.Given["title"], c.Given["reached_on"], c.Given["planned_on"], c.Given["lead"], c.Given["department"]} {
		if word != "" {
			d.what += " " + word
		}
	}
	return d
}

// draw makes the fields of the form's page.
func (c *reportContent) draw(form *eventForm) {
	s := &shownForm{Key: form.Key, Name: form.Name, Intro: form.Intro, Action: "/report/" + form.Key, Keep: []hidden{{"district", c.Office.District}}}
	s.Subject = c.subjectField(form.Subject)
	if s.Subject != nil && s.Subject.Control == "select" && len(s.Subject.Options) == 1 {
		s.Empty = "本单位还没有可以填报的项目。"
		if form.Subject == ofIssue {
			s.Empty = "本单位的项目没有未销号的问题。"
		}
	}
	c.drawFields(s, form)
	c.Shown = s
}

func (c *reportContent) drawFields(s *shownForm, form *eventForm) {
	for i := range c.fields {
		f := &c.fields[i]
		s.Fields = append(s.Fields, c.show(f)...)
		s.Files = s.Files || f.Kind == inputEvidence
	}
	if form.Type != schemas.ProjectAmended {
		return
	}
	// What is now stands in the fields of an amendment, in grey.
	i := slices.IndexFunc(c.projects, func(one *schemas.Standing) bool { return one.ProjectID == c.Given["subject"] })
	if i < 0 {
		return
	}
	now := c.projects[i]
	for j := range s.Fields {
		word := map[string]string{"name": now.Name, "enterprise": now.Enterprise, "industry": now.Industry, "tags": strings.Join(now.Tags, "、"), "total_investment": wan(now.TotalInvestment)}[s.Fields[j].Name]
		if word != "" {
			s.Fields[j].Hint = "现在：" + word
		}
	}
}

// subjectField lets choose what the event is about.
func (c *reportContent) subjectField(kind subjectKind) *shownField {
	f := &shownField{ID: "f-subject", Name: "subject", Label: "项目", Control: "select", Value: c.Given["subject"], Required: true, Wide: true, Max: 64, Wrong: c.Wrong["subject"]}
	switch kind {
	case ofNone:
		return nil
	case ofNew:
		f.Label, f.Control, f.Type, f.Wide, f.Hint = "项目编号", "input", "text", false, "字母、数字、- 和 _，如 P-0012；以后不再改"
		return f
	case ofIssue:
		f.Label, f.Max = "项目和问题", 200
		f.Options = []option{{"", "请选择"}}
		for _, one := range c.projects {
			for i := range one.Issues {
				if issue := &one.Issues[i]; issue.Open() {
					f.Options = append(f.Options, option{one.ProjectID + "|" + issue.ID, one.Name + "：" + issue.ID + " " + issue.Title})
				}
			}
		}
		return f
	}
	if len(c.projects) > mostListed {
		f.Label, f.Control, f.Type, f.Hint = "项目编号", "input", "text", "如 P-0012；也可以从项目页进入"
		return f
	}
	f.Options = []option{{"", "请选择"}}
	for _, one := range c.projects {
		f.Options = append(f.Options, option{one.ProjectID, one.ProjectID + " " + one.Name})
	}
	return f
}

// keep takes fields as they were filled in.
func (c *reportContent) keep(r *http.Request, names ...string) {
	for _, name := range names {
		c.Given[name] = strings.TrimSpace(r.FormValue(name))
	}
}

// issueChoice names an open issue as the form does.
func (c *reportContent) issueChoice(project, issue string) string {
	if project == "" || issue == "" {
		return ""
	}
	return project + "|" + issue
}

// Again is the address of an empty form.
func (s *shownForm) Again() string {
	values := url.Values{}
	for _, one := range s.Keep {
		values.Set(one.Name, one.Value)
	}
	return s.Action + "?" + values.Encode()
}
