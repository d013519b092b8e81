package pages

import (
	"net/http"
	"strconv"

	"milepost/schemas"
)

type bulletinsContent struct {
	Drafts   []periodLinks
	Editions []editionLinks
	Year     int
	MayIssue bool
}

// periodLinks are the documents of a period.
type periodLinks struct {
	Name, Period string
	From, To     schemas.Date
	Running      bool // has not ended
	Links        []link
}

type editionLinks struct {
	Edition
	Links []link
}

type link struct{ Name, Address string }

var documentFormats = [][2]string{{"网页", "html"}, {"PDF", "pdf"}, {"Word", "docx"}, {"Excel", "xlsx"}, {"Markdown", "md"}, {"JSON", "json"}}

// documents gives links to a bulletin in all formats; known is empty for what is
// known now.
func documents(path, known string) []link {
	links := make([]link, 0, len(documentFormats))
	for _, f := range documentFormats {
		address := path + "?format=" + f[1]
		if known != "" {
			address += "&known=" + known
		}
		links = append(links, link{f[0], address})
	}
	return links
}

// bulletins answers GET /bulletins with the drafts at hand and the archive.
func (p *Pages) bulletins(w http.ResponseWriter, r *http.Request) error {
	editions, err := p.Archive.Editions(r.Context())
	if err != nil {
		return err
	}
	today := schemas.DateOf(p.Now())
	c := bulletinsContent{Year: today.Year()}
	if principal := schemas.PrincipalOf(r.Context()); principal != nil {
		c.MayIssue = principal.Role.May(schemas.MayIssue)
	}
	for _, kind := range []schemas.PeriodKind{schemas.Week, schemas.MonthOf, schemas.Quarter, schemas.Half, schemas.Year} {
		this := schemas.PeriodContaining(kind, today)
		for _, period := range []schemas.Period{this.Previous(), this} {
			c.Drafts = append(c.Drafts, periodLinks{kindNames[string(kind)], period.String(), period.Start, period.End, period.End >= today, documents("/v1/bulletins/"+period.String(), "")})
		}
	}
	for _, e := range editions {
		path := "/v1/bulletins/" + e.Period
		if e.Kind == "assessment" {
			path = "/v1/assessments/" + e.Period
		}
		c.Editions = append(c.Editions, editionLinks{e, documents(path, strconv.FormatUint(e.KnownSeq, 10))})
	}
	return p.show(w, r, http.StatusOK, "bulletins", "通报", c)
}
