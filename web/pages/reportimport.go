package pages

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"milepost/schemas"
)

// importForm names the page of spreadsheets among the forms.
const importForm = "import"

// Imports read spreadsheets: first a preview of what would be published, then,
// when somebody confirms it, exactly that.
type Imports interface {
	// Preview reads the request's form: parts file, snapshot_date, district.
	Preview(w http.ResponseWriter, r *http.Request) (*ImportPreview, error)
	// Find gives a preview that waits, or was confirmed.
	Find(ctx context.Context, id string) (*ImportPreview, error)
	// Confirm publishes what was previewed, and gives what came of it.
	Confirm(ctx context.Context, r *http.Request, id string) (*ImportResult, error)
}

// ImportPreview says what a spreadsheet would change.
type ImportPreview struct {
	ID, Source, District               string
	Snapshots                          []schemas.Date
	Added, Changed, Unchanged, Refused int // projects, and rows
	Planned                            int // events
	Events                             map[schemas.Type]int
	Changes                            []ImportChange
	Faults, Warnings                   []ImportNote
	Ignored                            []string // columns
	HasErrorsFile                      bool
	Result                             *ImportResult // once it was confirmed
}

// ImportChange is an event that would be published.
type ImportChange struct {
	ProjectID string
	Type      schemas.Type
	On        schemas.Date
	What      []ImportDifference
}

// ImportDifference is a member that changes.
type ImportDifference struct{ What, From, To string }

// ImportNote says what is wrong with a cell, or should be looked at.
type ImportNote struct{ Place, Column, Value, Message, Hint string }

// ImportResult says what was published.
type ImportResult struct {
	Published, Duplicates, Failed int
	LastSeq                       uint64
	Faults                        []ImportNote
}

// maxShownChanges bounds the changes and notes that a page lists.
const maxShownChanges = 500

// importContent is what the pages of an import show.
type importContent struct {
	*reportContent
	Preview  *ImportPreview
	Types    []importCount
	MoreRows int
	Template string
	Errors   string
	Refusal  *schemas.Error
}

// labelled are the notes of a table.
type labelled struct {
	Label string
	Notes []ImportNote
}

type importCount struct {
	Name  string
	Count int
}

// importPage answers GET /report/import?district=.
func (p *Pages) importPage(w http.ResponseWriter, r *http.Request) error {
	c, err := p.importOf(r)
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "reportimport", "表格导入", c)
}

func (p *Pages) importOf(r *http.Request) (*importContent, error) {
	if p.Imports == nil {
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "this process takes no events", Hint: "use a server with the producers role"}
	}
	c, err := p.reportOf(r, importForm)
	if err != nil {
		return nil, err
	}
	if c.department {
		return nil, &schemas.Error{Code: schemas.Forbidden, Field: "type", Message: "a department sends issues and progress", Hint: "let the office of the district send it"}
	}
	return &importContent{reportContent: c, Template: "/v1/imports/template.xlsx?district=" + url.QueryEscape(c.Office.District)}, nil
}

// previewImport answers POST /report/import with the way to the preview.
func (p *Pages) previewImport(w http.ResponseWriter, r *http.Request) error {
	if p.Imports == nil {
		_, err := p.importOf(r)
		return err
	}
	preview, err := p.Imports.Preview(w, r)
	if err == nil {
		http.Redirect(w, r, "/report/import/"+url.PathEscape(preview.ID)+"?district="+url.QueryEscape(preview.District), http.StatusSeeOther)
		return nil
	}
	e, ok := err.(*schemas.Error)
	if !ok || e.Code == schemas.Unauthenticated || e.Code == schemas.Internal {
		return err
	}
	// The body was read, or was too much: the page begins without it.
	r.Form, r.PostForm = url.Values{}, url.Values{}
	c, errPage := p.importOf(r)
	if errPage != nil {
		return err
	}
	c.Refusal = inChinese(e)
	return p.show(w, r, e.Code.Status(), "reportimport", "表格导入", c)
}

// showImport answers GET /report/import/{id} with what would change.
func (p *Pages) showImport(w http.ResponseWriter, r *http.Request) error {
	c, err := p.importOf(r)
	if err != nil {
		return err
	}
	preview, err := p.Imports.Find(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	c.fill(preview)
	return p.show(w, r, http.StatusOK, "reportimport", "表格导入", c)
}

func (c *importContent) fill(preview *ImportPreview) {
	c.Preview = preview
	for _, t := range []schemas.Type{
		schemas.ProjectRegistered, schemas.ProjectAmended, schemas.ProjectAssigned, schemas.MilestonePlanned, schemas.MilestoneReached, schemas.ProgressReported,
		schemas.IssueRaised, schemas.IssueResolved, schemas.ProjectSuspended, schemas.ProjectResumed, schemas.ProjectCancelled,
	} {
		if n := preview.Events[t]; n > 0 {
			c.Types = append(c.Types, importCount{typeNames[t], n})
		}
	}
	if c.MoreRows = len(preview.Changes) - maxShownChanges; c.MoreRows > 0 {
		preview.Changes = preview.Changes[:maxShownChanges]
	}
	if preview.HasErrorsFile {
		c.Errors = "/v1/imports/previews/" + url.PathEscape(preview.ID) + "/errors.xlsx"
	}
	for _, notes := range []*[]ImportNote{&preview.Faults, &preview.Warnings} {
		*notes = slices.Clone((*notes)[:min(len(*notes), maxShownChanges)])
	}
}

// memberWords are the members of events in the words of the page.
var memberWords = map[string]string{
	"registered_on": "入库日期", "name": "项目名称", "enterprise": "企业", "industry": "行业", "tags": "标签", "total_investment": "总投资", "annual_plan": "年度计划",
	"lead": "市级领导", "department": "市直部门", "district": "县(市)区", "invested_ytd": "累计完成投资", "landed": "落地", "started": "开工", "producing": "投产",
	"target": "目标", "forecast": "预计", "plan": "计划", "planned": "计划", "reached": "完成", "issue": "问题", "raised": "提出", "resolved": "销号", "resolution": "解决情况",
	"suspended": "停缓建", "resumed": "恢复建设", "cancelled": "取消", "revoked": "撤销", "registration": "入库", "of": "", "/": "、", "note": "形象进度",
}

// inWords says what changes in the words of the page: "landed target" is 落地目标.
func inWords(what string) string {
	var said strings.Builder
	for i, part := range strings.Fields(what) {
		word, known := memberWords[part]
		if !known {
			if word = part; i > 0 {
				word = " " + part
			}
		}
		said.WriteString(word)
	}
	return said.String()
}

// confirmImport answers POST /report/import/{id}/confirm: it publishes what was
// shown.
func (p *Pages) confirmImport(w http.ResponseWriter, r *http.Request) error {
	c, err := p.importOf(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	result, err := p.Imports.Confirm(r.Context(), r, id)
	if err != nil {
		e, ok := err.(*schemas.Error)
		preview, errFind := p.Imports.Find(r.Context(), id)
		if !ok || errFind != nil {
			return err
		}
		c.fill(preview)
		c.Refusal = inChinese(e)
		return p.show(w, r, e.Code.Status(), "reportimport", "表格导入", c)
	}
	p.followed(r, result.LastSeq)
	preview, err := p.Imports.Find(r.Context(), id)
	if err != nil {
		return err
	}
	preview.Result = result
	c.fill(preview)
	status := http.StatusOK
	if result.Failed > 0 {
		status = http.StatusUnprocessableEntity
	}
	return p.show(w, r, status, "reportimport", "表格导入", c)
}
