package pages

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"milepost/schemas"
)

type bulletinsContent struct {
	Kind, State string
	Year        int // 0 for all
	Kinds       []choice
	States      []choice
	Years       []int
	Waiting     []editionRow // what is not published
	Published   []editionRow
	Periods     []periodLinks
	MayIssue    bool
	Filtered    bool
	Wrong       *schemas.Error
	Asked       string // a period that does not read
}

// choice is an option of a filter.
type choice struct{ Value, Name string }

// periodLinks are the documents of a period that has no draft.
type periodLinks struct {
	Name, Period, ID string
	From, To         schemas.Date
	Running          bool // has not ended
	Links            []link
}

// editionRow is a draft or an edition in a list.
type editionRow struct {
	schemas.EditionStatus
	Stage  stage
	Mended string // which edition it is a 更正 of
	When   string
	By     string
	Prints []printing
}

// printing is one of the editions with its files.
type printing struct {
	Name  string
	Links []link
}

type link struct{ Name, Address, File string }

var documentFormats = [][2]string{{"网页", "html"}, {"PDF", "pdf"}, {"Word", "docx"}, {"Excel", "xlsx"}, {"Markdown", "md"}, {"JSON", "json"}}

// documents gives links to a bulletin in all formats, of what is known now.
func documents(path string) []link {
	links := make([]link, 0, len(documentFormats))
	for _, f := range documentFormats {
		links = append(links, link{Name: f[0], Address: path + "?format=" + f[1]})
	}
	return links
}

// prints gives what there is of an edition to read: the published files, else
// the draft. Nothing is read of a withdrawn one.
func prints(s schemas.EditionStatus) []printing {
	if s.State == schemas.EditionWithdrawn {
		return nil
	}
	if s.Kind == schemas.AssessmentKind {
		all := []printing{{"考核结果", assessmentLinks(s, s.ID)}}
		if media := assessmentLinks(s, s.ID+"-media"); len(media) > 0 {
			all = append(all, printing{"媒体版", media})
		}
		return all
	}
	var all []printing
	for _, edition := range [][2]string{{"official", "正式版"}, {"media", "媒体版"}} {
		one := printing{Name: edition[1]}
		for _, format := range documentFormats {
			name := s.ID + "." + format[1]
			if edition[0] == "media" {
				name = s.ID + "-media." + format[1]
			}
			address := "/v1/editions/" + s.ID + "/preview?edition=" + edition[0] + "&format=" + format[1]
			if file := fileOf(s, name); file != nil {
				address = file.Path
			}
			if format[1] == "html" {
				address, name = "/bulletins/"+s.ID+"/preview?edition="+edition[0], ""
			}
			one.Links = append(one.Links, link{format[0], address, name})
		}
		all = append(all, one)
	}
	return all
}

// assessmentLinks gives the files of an assessment under that name.
func assessmentLinks(s schemas.EditionStatus, name string) []link {
	var links []link
	for _, format := range documentFormats {
		if file := fileOf(s, name+"."+format[1]); file != nil {
			one := link{format[0], file.Path, file.Name}
			if format[1] == "html" {
				one = link{format[0], "/bulletins/" + s.ID + "/preview", ""}
				if name != s.ID {
					one.Address += "?edition=media"
				}
			}
			links = append(links, one)
		}
	}
	return links
}

func fileOf(s schemas.EditionStatus, name string) *schemas.EditionFile {
	if i := slices.IndexFunc(s.Files, func(f schemas.EditionFile) bool { return f.Name == name }); i >= 0 {
		return &s.Files[i]
	}
	return nil
}

func rowOf(s schemas.EditionStatus, today schemas.Date) editionRow {
	row := editionRow{EditionStatus: s, Stage: stageOf(s, today), Prints: prints(s)}
	switch {
	case s.Corrects != nil:
		row.Mended = fmt.Sprintf("更正第 %d 期", *s.Corrects)
	case strings.Contains(s.ID, "-c"): // a list does not say which in a draft
		row.Mended = "更正"
	}
	switch {
	case s.PublishedAt != nil:
		row.When = moment(*s.PublishedAt)
	case s.Draft != nil:
		row.When, row.By = moment(s.Draft.Drafted.At), s.Draft.Drafted.By
	}
	return row
}

// The kinds in the order of the list.
var bulletinKinds = []string{"week", "month", "quarter", "half", "year", "assessment"}

// bulletins answers GET /bulletins?kind=&year=&state= with what waits and what
// was published.
func (p *Pages) bulletins(w http.ResponseWriter, r *http.Request) error {
	if period := r.FormValue("period"); period != "" {
		parsed, err := schemas.ParsePeriod(period)
		if err == nil {
			http.Redirect(w, r, "/bulletins/"+bulletinID(parsed), http.StatusSeeOther)
			return nil
		}
		return p.showBulletins(w, r, http.StatusUnprocessableEntity, &bulletinsContent{Wrong: chineseError(err), Asked: schemas.Shorten(period)})
	}
	return p.showBulletins(w, r, http.StatusOK, &bulletinsContent{})
}

func bulletinID(p schemas.Period) string { return "bulletin-" + p.String() }

func (p *Pages) showBulletins(w http.ResponseWriter, r *http.Request, status int, c *bulletinsContent) error {
	list, err := p.Desk.Editions(r.Context())
	if err != nil {
		return err
	}
	today := schemas.DateOf(p.Now())
	c.Kind, c.State = r.FormValue("kind"), r.FormValue("state")
	c.Year, _ = strconv.Atoi(r.FormValue("year")) // anything else is all years
	c.Filtered = c.Kind != "" || c.State != "" || c.Year != 0
	c.MayIssue = mayIssue(r)
	for _, kind := range bulletinKinds {
		c.Kinds = append(c.Kinds, choice{kind, kindNames[kind]})
	}
	c.States = stageChoices()
	drafted := map[string]bool{}
	for _, s := range list {
		drafted[s.ID] = true
		row := rowOf(s, today)
		year := yearOf(s.Period)
		if !slices.Contains(c.Years, year) {
			c.Years = append(c.Years, year)
		}
		if c.Kind != "" && s.Kind != c.Kind || c.Year != 0 && year != c.Year || c.State != "" && !row.Stage.is(c.State) {
			continue
		}
		if s.State == schemas.EditionDrafted || s.State == schemas.EditionReturned || s.State == schemas.EditionAnnounced {
			c.Waiting = append(c.Waiting, row)
		} else {
			c.Published = append(c.Published, row)
		}
	}
	slices.SortFunc(c.Years, func(a, b int) int { return cmp.Compare(b, a) })
	slices.SortStableFunc(c.Published, func(a, b editionRow) int { return b.PublishedAt.Compare(*a.PublishedAt) })
	slices.Reverse(c.Waiting)
	if !c.Filtered {
		c.Periods = periodsAtHand(today, drafted)
	}
	return p.show(w, r, status, "bulletins", "通报", c)
}

// periodsAtHand lists the last and the running period of each kind that nobody
// drafted.
func periodsAtHand(today schemas.Date, drafted map[string]bool) []periodLinks {
	var periods []periodLinks
	for _, kind := range []schemas.PeriodKind{schemas.Week, schemas.MonthOf, schemas.Quarter, schemas.Half, schemas.Year} {
		this := schemas.PeriodContaining(kind, today)
		for _, period := range []schemas.Period{this.Previous(), this} {
			if id := bulletinID(period); !drafted[id] {
				periods = append(periods, periodLinks{kindNames[string(kind)], period.String(), id, period.Start, period.End, period.End >= today, documents("/v1/bulletins/" + period.String())})
			}
		}
	}
	return periods
}

// yearOf gives the year that a period's number belongs to.
func yearOf(period string) int {
	parsed, err := schemas.ParsePeriod(period)
	if err != nil {
		return 0
	}
	return parsed.IssueYear()
}

func mayIssue(r *http.Request) bool {
	principal := schemas.PrincipalOf(r.Context())
	return principal != nil && principal.Role.May(schemas.MayIssue)
}

// editionPath gives the page of an edition.
func editionPath(s schemas.EditionStatus) string {
	if s.Kind == schemas.AssessmentKind {
		return "/assessment/" + s.Period
	}
	return "/bulletins/" + url.PathEscape(s.ID)
}
