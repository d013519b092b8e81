package imports

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"milepost/schemas"
)

var sourcePattern = regexp.MustCompile(`^[^\s]{1,256}$`)

// usage tells what a column is for, so that a key that has no effect there is
// a fault and not a silent wish.
type usage int

const (
	forText usage = iota
	forTags
	forAmount
	forDate
)

// check completes the mapping: defaults, compiled layouts and scales.
func (m *Mapping) check(d *document, rules *schemas.Rules) {
	if !sourcePattern.MatchString(m.Source) {
		d.at("source", "must be the source of the events, such as /offices/shanyang")
	}
	if !rules.KnownDistrict(m.Sender) {
		d.at("sender", fmt.Sprintf("must be city or the code of a configured district, not %q", schemas.Shorten(m.Sender)))
	}
	m.districts = map[string]string{}
	for _, d := range rules.Districts {
		m.districts[d.Name] = d.Code
	}
	for _, d := range rules.Districts {
		m.districts[d.Code] = d.Code
	}
	m.blank = map[string]bool{"": true}
	for _, cell := range m.File.Blank {
		m.blank[oneLine(cell)] = true
	}
	m.checkFile(d)
	if len(m.Dates) == 0 {
		m.Dates = defaultLayouts()
	}
	m.dates = compileLayouts(d, "dates", m.Dates)
	m.checkSnapshot(d)
	if m.Project.Column == "" {
		d.at("project", "needs column: the one that tells projects apart")
	}
	if m.Project.Prefix != "" && !projectID.MatchString(m.Project.Prefix) {
		d.at("project.prefix", "may only have A-Z a-z 0-9 _ - and starts with a letter or digit")
	}
	m.checkDistrict(d, rules)
	if m.Name == nil {
		d.at("name", "is required: name: {column: …}")
	}
	if m.TotalInvestment == nil {
		d.at("total_investment", "is required: total_investment: {column: …}, with a default where the sheet has none")
	}
	if (m.Lead == nil) != (m.Department == nil) {
		d.at("lead", "lead and department go together: an assignment names both")
	}
	for _, c := range []struct {
		path   string
		column *Cell
		use    usage
	}{
		{"name", m.Name, forText}, {"enterprise", m.Enterprise, forText}, {"industry", m.Industry, forText}, {"tags", m.Tags, forTags},
		{"total_investment", m.TotalInvestment, forAmount}, {"district", m.District, forText}, {"registered_on", m.RegisteredOn, forDate},
		{"lead", m.Lead, forText}, {"department", m.Department, forText},
	} {
		m.checkColumn(d, c.path, c.column, c.use)
	}
	m.checkYears(d)
	m.checkMilestones(d)
	m.checkProgress(d)
	m.checkIssues(d)
	names := m.columnNames()
	for i, name := range m.Optional {
		if !slices.Contains(names, name) {
			d.at(fmt.Sprintf("optional.%d", i+1), fmt.Sprintf("%q is no mapped column", schemas.Shorten(name)))
		}
		if name == m.Project.Column || name == m.Snapshot.Column {
			d.at(fmt.Sprintf("optional.%d", i+1), "nothing can be read without this column")
		}
	}
}

func (m *Mapping) checkIssues(d *document) {
	i := m.Issues
	if i == nil {
		return
	}
	for _, c := range []struct {
		key   string
		given bool
	}{
		{"sheet", i.Sheet != ""}, {"project", i.Project != ""}, {"id", i.ID != ""}, {"title", i.Title != nil}, {"category", i.Category != nil},
		{"department", i.Department != nil}, {"raised_on", i.RaisedOn != nil}, {"due_on", i.DueOn != nil},
	} {
		if !c.given {
			d.at("issues", "needs "+c.key)
		}
	}
	for _, c := range []struct {
		key    string
		column *Cell
		use    usage
	}{
		{"title", i.Title, forText}, {"category", i.Category, forText}, {"department", i.Department, forText},
		{"raised_on", i.RaisedOn, forDate}, {"due_on", i.DueOn, forDate}, {"resolved_on", i.ResolvedOn, forDate}, {"resolution", i.Resolution, forText},
	} {
		m.checkColumn(d, "issues."+c.key, c.column, c.use)
	}
	if i.Category != nil {
		for cell, category := range i.Category.Values {
			if !slices.Contains(schemas.IssueCategories(), category) {
				d.at("issues.category.values."+cell, fmt.Sprintf("%q is no category", schemas.Shorten(category)))
			}
		}
	}
}

func (m *Mapping) checkFile(d *document) {
	f := &m.File
	if f.Encoding != "" && f.Encoding != "utf-8" && f.Encoding != "gb18030" {
		d.at("file.encoding", "must be utf-8 or gb18030 (which reads GBK and GB2312 too)")
	}
	switch f.Delimiter {
	case "":
		f.Delimiter = ","
	case "tab":
		f.Delimiter = "\t"
	}
	if r, size := utf8.DecodeRuneInString(f.Delimiter); f.Delimiter != autoDelimiter && (size != len(f.Delimiter) || r == utf8.RuneError || r == '"' || r == '\n' || r == '\r') {
		d.at("file.delimiter", "must be one sign, tab or auto")
	}
	if f.HeaderRow < 0 || f.HeaderRow > 100 {
		d.at("file.header_row", "must be from 1 to 100")
	}
	if f.HeaderRows < 0 || f.HeaderRows > maxHeaderRows {
		d.at("file.header_rows", fmt.Sprintf("must be from 1 to %d", maxHeaderRows))
	}
}

func (m *Mapping) checkSnapshot(d *document) {
	s := &m.Snapshot
	if s.Column != "" && s.FileName != "" {
		d.at("snapshot", "has a column and a file_name; the date stands in one of them")
	}
	if s.Column != "" && (s.Label != "" || s.Today) {
		d.at("snapshot", "has a column, so label and today have no effect")
	}
	if len(s.Layouts) > 0 && s.Column == "" && s.Label == "" {
		d.at("snapshot.layouts", "has no effect without column or label")
	}
	s.layouts = m.dates
	if len(s.Layouts) > 0 {
		s.layouts = compileLayouts(d, "snapshot.layouts", s.Layouts)
	}
	if s.FileName != "" {
		l, err := parseLayout(s.FileName, true)
		if err != nil {
			d.at("snapshot.file_name", err.Error())
		}
		s.fileName = l
	}
}

func (m *Mapping) checkDistrict(d *document, rules *schemas.Rules) {
	if m.Sender != schemas.CityDistrict {
		if m.District != nil && m.District.Default != "" {
			d.at("district.default", "has no effect unless sender is city: an office's projects are in its own district")
		}
		return
	}
	if m.District == nil {
		d.at("district", "is required when sender is city: district: {column: …} or {default: …}")
		return
	}
	known := func(path, code string) {
		if _, ok := rules.District(code); code != "" && !ok {
			d.at(path, fmt.Sprintf("%q is no configured district", schemas.Shorten(code)))
		}
	}
	known("district.default", m.District.Default)
	for cell, code := range m.District.Values {
		known("district.values."+cell, code)
	}
	if m.District.Several != nil {
		known("district.several.becomes", m.District.Several.Becomes)
	}
}

func (m *Mapping) checkYears(d *document) {
	seen := map[string]bool{}
	for i := range m.AnnualPlan {
		y := &m.AnnualPlan[i]
		path := fmt.Sprintf("annual_plan.%d", i+1)
		if y.Year != "snapshot" {
			n, err := strconv.Atoi(y.Year)
			if err != nil || n < 1900 || n > 2299 {
				d.at(path+".year", "must be a year from 1900 to 2299, or snapshot: the year of the snapshot's date")
			}
			y.year = n
		}
		if seen[y.Year] {
			d.at(path+".year", "stands twice")
		}
		seen[y.Year] = true
		m.checkColumn(d, path, &y.Cell, forAmount)
	}
}

func (m *Mapping) checkMilestones(d *document) {
	for _, milestone := range schemas.Milestones() {
		columns := m.Milestones.of(milestone)
		path := "milestones." + milestone.String()
		approved := map[bool]bool{}
		for i, c := range columns.Planned {
			at := fmt.Sprintf("%s.planned.%d", path, i+1)
			if c == nil {
				d.at(at, "is empty")
				continue
			}
			if approved[c.Approved] {
				d.at(at, "there can be one approved and one other plan column")
			}
			approved[c.Approved] = true
			m.checkColumn(d, at, c, forDate)
		}
		m.checkReached(d, path+".reached", columns.Reached)
	}
}

func (m *Mapping) checkReached(d *document, path string, r *Reached) {
	if r == nil {
		return
	}
	if (r.Date == nil) == (r.When == nil) {
		d.at(path, "needs either date: a date column, or when: a column and its words")
		return
	}
	m.checkColumn(d, path+".date", r.Date, forDate)
	if r.When == nil {
		return
	}
	if r.When.Column == "" || len(r.When.In) == 0 {
		d.at(path+".when", "needs column and in: [words that mean reached]")
	}
	for _, word := range r.When.In {
		if len(r.When.Order) > 0 && !slices.Contains(r.When.Order, word) {
			d.at(path+".when.order", fmt.Sprintf("lacks %q", schemas.Shorten(word)))
		}
	}
}

func (m *Mapping) checkProgress(d *document) {
	p := m.Progress
	if p == nil {
		return
	}
	if p.InvestedYTD == nil {
		d.at("progress", "needs invested_ytd: {column: …}")
	}
	if p.Month != "" && p.Month != "snapshot" && p.Month != "previous" {
		d.at("progress.month", "must be snapshot or previous")
	}
	m.checkColumn(d, "progress.invested_ytd", p.InvestedYTD, forAmount)
	m.checkColumn(d, "progress.note", p.Note, forText)
	for path, c := range map[string]*Cell{"progress.invested_ytd.default": p.InvestedYTD, "progress.note.default": p.Note} {
		if c != nil && c.Default != "" {
			d.at(path, "has no effect here: a blank cell reports nothing")
		}
	}
}

func (m *Mapping) checkColumn(d *document, path string, c *Cell, use usage) {
	if c == nil {
		return
	}
	if c.Column == "" && (c.Default == "" || c.OrColumn != "") {
		d.at(path, "needs column")
	}
	if c.OnError != "" && c.OnError != "refuse" && c.OnError != "warn" {
		d.at(path+".on_error", "must be refuse or warn")
	}
	only := func(given bool, key string, right usage, what string) {
		if given && use != right {
			d.at(path+"."+key, "has no effect here: it is for "+what)
		}
	}
	only(len(c.Layouts) > 0, "layouts", forDate, "dates")
	only(c.MultiplyBy != "", "multiply_by", forAmount, "amounts")
	only(c.DivideBy != "", "divide_by", forAmount, "amounts")
	only(c.Separator != "", "separator", forTags, "tags")
	only(c.Several != nil, "several", forText, "texts")
	if c.PercentOfPlan && path != "progress.invested_ytd" {
		d.at(path+".percent_of_plan", "has no effect here: it is for invested_ytd")
	}
	if isPlan := len(path) > 10 && path[:10] == "milestones"; c.Approved && !isPlan {
		d.at(path+".approved", "has no effect here: it is for planned")
	}
	if use == forDate && c.Default != "" {
		d.at(path+".default", "has no effect on dates: a blank cell says nothing")
	}
	if s := c.Several; s != nil && use == forText {
		if s.Separator == "" || (s.Becomes == "") == (s.Take == "") || s.Take != "" && s.Take != "first" {
			d.at(path+".several", "needs separator, and either becomes: a value, or take: first")
		}
	}
	c.layouts = m.dates
	if len(c.Layouts) > 0 {
		c.layouts = compileLayouts(d, path+".layouts", c.Layouts)
	}
	if use == forTags && c.Separator == "" {
		c.Separator = ","
	}
	if use != forAmount {
		return
	}
	c.scale = scaleOf(d, path, c)
	if c.Default != "" {
		if _, err := parseAmount(c.Default, big.NewRat(1, 1)); err != nil {
			d.at(path+".default", err.Error()+"; write 万元")
		}
	}
}

func scaleOf(d *document, path string, c *Cell) *big.Rat {
	scale := big.NewRat(1, 1)
	for _, factor := range []struct {
		key, text string
		divide    bool
	}{{"multiply_by", c.MultiplyBy, false}, {"divide_by", c.DivideBy, true}} {
		if factor.text == "" {
			continue
		}
		value, ok := parseDecimal(factor.text)
		if !ok || value.Sign() <= 0 {
			d.at(path+"."+factor.key, "must be a number above zero, such as 10000")
			continue
		}
		if factor.divide {
			value.Inv(value)
		}
		scale.Mul(scale, value)
	}
	return scale
}

func compileLayouts(d *document, path string, texts []string) []*layout {
	var layouts []*layout
	for i, text := range texts {
		l, err := parseLayout(text, false)
		if err != nil {
			d.at(fmt.Sprintf("%s.%d", path, i+1), err.Error())
			continue
		}
		layouts = append(layouts, l)
	}
	return layouts
}
