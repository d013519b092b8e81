package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"milepost/schemas"
)

// RulesConfig is what a configuration says of the rules (specification §2, §3,
// §5, §7, §8); what it does not say keeps the value it had.
type RulesConfig struct {
	Groups            []schemas.Group      `yaml:"groups"`
	Districts         []schemas.District   `yaml:"districts"`
	Departments       []EntryConfig        `yaml:"departments"`
	DepartmentsClosed *bool                `yaml:"departments_closed"`
	Leads             []EntryConfig        `yaml:"leads"`
	LeadsClosed       *bool                `yaml:"leads_closed"`
	EvidenceRequired  *bool                `yaml:"evidence_required"`
	ReportDay         *int                 `yaml:"report_day"`
	YellowMonths      *int                 `yaml:"yellow_months"`
	RedMonths         *int                 `yaml:"red_months"`
	YellowLag         *int                 `yaml:"yellow_lag"`
	RedLag            *int                 `yaml:"red_lag"`
	StalledMonths     *int                 `yaml:"stalled_months"`
	Method            []schemas.MethodItem `yaml:"method"`
	Weights           WeightsConfig        `yaml:"weights"`
	Assessment        AssessmentConfig     `yaml:"assessment"`
}

// EntryConfig is a department or a lead; From and To are days, both included.
type EntryConfig struct {
	ID      string   `yaml:"id"`
	Name    string   `yaml:"name"`
	Aliases []string `yaml:"aliases"`
	From    string   `yaml:"from"`
	To      string   `yaml:"to"`
}

// WeightsConfig is the weights of the score.
type WeightsConfig struct {
	Landed     *int `yaml:"landed"`
	Started    *int `yaml:"started"`
	Producing  *int `yaml:"producing"`
	Ledger     *int `yaml:"ledger"`
	Investment *int `yaml:"investment"`
}

// AssessmentConfig is the numbers of the year-end assessment, as
// schemas.AssessmentRules has them.
type AssessmentConfig struct {
	BonusPoints    *int  `yaml:"bonus_points"`
	BonusDays      *int  `yaml:"bonus_days"`
	PenaltyPoints  *int  `yaml:"penalty_points"`
	PenaltyMonths  *int  `yaml:"penalty_months"`
	Excellent      *int  `yaml:"excellent"`
	Good           *int  `yaml:"good"`
	Pass           *int  `yaml:"pass"`
	Accountability *bool `yaml:"accountability"`
}

// RuleSetConfig changes the rules from a day on.
type RuleSetConfig struct {
	From        string `yaml:"from"`
	RulesConfig `yaml:",inline"`
}

// rules is one set: what an earlier one says, with the changes of this one.
func (c *RulesConfig) rules(before *schemas.Rules) *schemas.Rules {
	r := *before
	if c.Groups != nil {
		r.Groups = c.Groups
	}
	if c.Districts != nil {
		r.Districts = c.Districts
	}
	if c.Departments != nil {
		r.Departments = directoryOf(c.Departments)
	}
	if c.Leads != nil {
		r.Leads = directoryOf(c.Leads)
	}
	if c.Method != nil {
		r.Method = namedMethod(c.Method)
	}
	change(&r.DepartmentsClosed, c.DepartmentsClosed)
	change(&r.LeadsClosed, c.LeadsClosed)
	change(&r.EvidenceRequired, c.EvidenceRequired)
	change(&r.ReportDay, c.ReportDay)
	change(&r.YellowMonths, c.YellowMonths)
	change(&r.RedMonths, c.RedMonths)
	change(&r.YellowLag, c.YellowLag)
	change(&r.RedLag, c.RedLag)
	change(&r.StalledMonths, c.StalledMonths)
	change(&r.Weights.Milestones[schemas.Landed], c.Weights.Landed)
	change(&r.Weights.Milestones[schemas.Started], c.Weights.Started)
	change(&r.Weights.Milestones[schemas.Producing], c.Weights.Producing)
	change(&r.Weights.Ledger, c.Weights.Ledger)
	change(&r.Weights.Investment, c.Weights.Investment)
	if c.Assessment != (AssessmentConfig{}) {
		r.Assessment = c.Assessment.numbers(r.Assessing())
	}
	return &r
}

func (c *AssessmentConfig) numbers(before schemas.AssessmentRules) *schemas.AssessmentRules {
	n := before
	change(&n.BonusPoints, c.BonusPoints)
	change(&n.BonusDays, c.BonusDays)
	change(&n.PenaltyPoints, c.PenaltyPoints)
	change(&n.PenaltyMonths, c.PenaltyMonths)
	change(&n.Excellent, c.Excellent)
	change(&n.Good, c.Good)
	change(&n.Pass, c.Pass)
	change(&n.Accountability, c.Accountability)
	return &n
}

// change sets what is given.
func change[T any](value, given *T) {
	if given != nil {
		*value = *given
	}
}

// namedMethod gives an item without a wording that of the default list.
func namedMethod(items []schemas.MethodItem) []schemas.MethodItem {
	named := slices.Clone(items)
	for i, item := range named {
		if j := slices.IndexFunc(schemas.DefaultRules().Method, func(known schemas.MethodItem) bool { return known.Key == item.Key }); j >= 0 && item.Name == "" {
			named[i].Name = schemas.DefaultRules().Method[j].Name
		}
	}
	return named
}

func directoryOf(entries []EntryConfig) schemas.Directory {
	list := make([]schemas.Entry, len(entries))
	for i := range entries {
		list[i] = entries[i].entry()
	}
	return schemas.NewDirectory(list)
}

// entry leaves out days that do not read; the check names them.
func (c *EntryConfig) entry() schemas.Entry {
	from, _ := schemas.ParseDate(c.From)
	to, _ := schemas.ParseDate(c.To)
	return schemas.Entry{ID: c.ID, Name: c.Name, Aliases: c.Aliases, From: from, To: to}
}

// RuleBook gives the rule sets with the days from which they hold; the
// configuration must have been checked.
func (c *Config) RuleBook() (*schemas.RuleBook, error) {
	sets := []schemas.DatedRules{{Rules: c.RulesConfig.rules(schemas.DefaultRules())}}
	for i := range c.RuleSets {
		from, err := schemas.ParseDate(c.RuleSets[i].From)
		if err != nil {
			return nil, fmt.Errorf("rule_sets[%d].from: %w", i, err)
		}
		sets = append(sets, schemas.DatedRules{From: from, Rules: c.RuleSets[i].rules(sets[i].Rules)})
	}
	years := map[int]schemas.Date{}
	for year, given := range c.YearRules {
		day, err := schemas.ParseDate(given)
		if err != nil {
			return nil, fmt.Errorf("year_rules.%d: %w", year, err)
		}
		years[year] = day
	}
	return schemas.NewRuleBook(sets, years)
}

// complaints collects what is wrong with a configuration.
type complaints struct {
	prefix string
	list   []error
}

func (w *complaints) add(field, value, message, hint string) {
	w.list = append(w.list, &schemas.Error{Code: schemas.Invalid, Field: w.prefix + field, Value: value, Message: message, Hint: hint})
}

// checkRules lists everything that is wrong with the rules.
func (c *Config) checkRules() []error {
	w := &complaints{}
	before := schemas.DefaultRules()
	rules := c.RulesConfig.rules(before)
	c.RulesConfig.check(w, rules, true)
	var last schemas.Date
	for i := range c.RuleSets {
		set := &c.RuleSets[i]
		w.prefix = fmt.Sprintf("rule_sets[%d].", i)
		from, err := schemas.ParseDate(set.From)
		switch {
		case err != nil:
			w.add("from", set.From, "not a date", "write the day from which the rule set holds as YYYY-MM-DD")
		case from <= last:
			w.add("from", set.From, "not after the day of the rule set before", "order the rule sets by day, each with its own")
		}
		last = max(last, from)
		rules = set.rules(rules)
		set.check(w, rules, false)
	}
	w.prefix = ""
	for year, given := range c.YearRules {
		field := fmt.Sprintf("year_rules.%d", year)
		if year < schemas.FirstDate.Year() || year > schemas.LastDate.Year() {
			w.add(field, given, "not a year", "write a year from 1900 to 2299")
		}
		if _, err := schemas.ParseDate(given); err != nil {
			w.add(field, given, "not a date", "write a day of the rules that the year follows as YYYY-MM-DD")
		}
	}
	slices.SortStableFunc(w.list, byField)
	return w.list
}

// byField orders the complaints of year_rules, which is a map, and leaves the
// others in their order.
func byField(a, b error) int {
	var x, y *schemas.Error
	if !errors.As(a, &x) || !errors.As(b, &y) || !strings.HasPrefix(x.Field, "year_rules") || !strings.HasPrefix(y.Field, "year_rules") {
		return 0
	}
	return strings.Compare(x.Field, y.Field)
}

// check looks at what the set names, or at everything, in the rules that it
// makes.
func (c *RulesConfig) check(w *complaints, r *schemas.Rules, everything bool) {
	if everything || c.Groups != nil || c.Districts != nil {
		checkDistricts(w, r)
	}
	a := r.Assessing()
	for _, n := range []struct {
		field              string
		given              bool
		value, least, most int
	}{
		{"report_day", c.ReportDay != nil, r.ReportDay, 1, 28},
		{"yellow_months", c.YellowMonths != nil, r.YellowMonths, 1, 120},
		{"red_months", c.RedMonths != nil || c.YellowMonths != nil, r.RedMonths, r.YellowMonths, 120},
		{"yellow_lag", c.YellowLag != nil, r.YellowLag, 0, 100},
		{"red_lag", c.RedLag != nil || c.YellowLag != nil, r.RedLag, r.YellowLag, 100},
		{"stalled_months", c.StalledMonths != nil, r.StalledMonths, 1, 24},
		{"assessment.bonus_points", c.Assessment.BonusPoints != nil, a.BonusPoints, 0, 100},
		{"assessment.bonus_days", c.Assessment.BonusDays != nil, a.BonusDays, 0, 3660},
		{"assessment.penalty_points", c.Assessment.PenaltyPoints != nil, a.PenaltyPoints, 0, 100},
		{"assessment.penalty_months", c.Assessment.PenaltyMonths != nil, a.PenaltyMonths, 1, 120},
		{"assessment.pass", c.Assessment.Pass != nil, a.Pass, 0, 100},
		{"assessment.good", c.Assessment.Good != nil || c.Assessment.Pass != nil, a.Good, a.Pass, 100},
		{"assessment.excellent", c.Assessment.Excellent != nil || c.Assessment.Good != nil, a.Excellent, a.Good, 100},
	} {
		if n.given && (n.value < n.least || n.value > n.most) {
			w.add(n.field, fmt.Sprint(n.value), "out of range", fmt.Sprintf("from %d to %d", n.least, n.most))
		}
	}
	if c.Method != nil {
		checkMethod(w, r.Method)
	}
	c.Weights.check(w, r.Weights)
	checkDirectory(w, "departments", c.Departments)
	checkDirectory(w, "leads", c.Leads)
	if r.DepartmentsClosed && r.Departments.IsZero() && (c.DepartmentsClosed != nil || c.Departments != nil) {
		w.add("departments_closed", "true", "a closed list without names would refuse every name", "list departments, or leave it open")
	}
	if r.LeadsClosed && r.Leads.IsZero() && (c.LeadsClosed != nil || c.Leads != nil) {
		w.add("leads_closed", "true", "a closed list without names would refuse every name", "list leads, or leave it open")
	}
}

func checkDistricts(w *complaints, r *schemas.Rules) {
	groups, codes := map[string]bool{}, map[string]bool{schemas.CityDistrict: true}
	for i, g := range r.Groups {
		if g.Code == "" || g.Name == "" || groups[g.Code] {
			w.add(fmt.Sprintf("groups[%d]", i), g.Code, "a group needs its own code and a name", "")
		}
		groups[g.Code] = true
	}
	for i, d := range r.Districts {
		field := fmt.Sprintf("districts[%d]", i)
		switch {
		case !districtCode(d.Code):
			w.add(field+".code", d.Code, "not a district code", "use 1 to 40 of a-z, 0-9, _ and -")
		case codes[d.Code]:
			w.add(field+".code", d.Code, "the code is taken", `give each district its own; "city" is the city office`)
		case d.Name == "":
			w.add(field+".name", "", "a district needs a name", "")
		case !groups[d.Group]:
			w.add(field+".group", d.Group, "no such group", "name one of groups")
		}
		codes[d.Code] = true
	}
}

func districtCode(code string) bool {
	if code == "" || len(code) > 40 {
		return false
	}
	return strings.Trim(code, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func checkMethod(w *complaints, items []schemas.MethodItem) {
	var known []string
	for _, item := range schemas.DefaultRules().Method {
		known = append(known, string(item.Key))
	}
	if len(items) == 0 {
		w.add("method", "[]", "a method without items", "choose of "+strings.Join(known, ", "))
	}
	taken := map[schemas.MethodKey]bool{}
	for i, item := range items {
		field := fmt.Sprintf("method[%d].key", i)
		switch {
		case !slices.Contains(known, string(item.Key)):
			w.add(field, string(item.Key), "no such item", "choose of "+strings.Join(known, ", "))
		case taken[item.Key]:
			w.add(field, string(item.Key), "the item is listed twice", "list each item once")
		}
		taken[item.Key] = true
	}
}

// maxWeight keeps sums of weights far from overflow.
const maxWeight = 1000

func (c *WeightsConfig) check(w *complaints, weights schemas.Weights) {
	given := false
	for _, n := range []struct {
		name  string
		value *int
	}{{"landed", c.Landed}, {"started", c.Started}, {"producing", c.Producing}, {"ledger", c.Ledger}, {"investment", c.Investment}} {
		if n.value == nil {
			continue
		}
		given = true
		if *n.value < 0 || *n.value > maxWeight {
			w.add("weights."+n.name, fmt.Sprint(*n.value), "out of range", fmt.Sprintf("from 0 to %d", maxWeight))
		}
	}
	if given && weights == (schemas.Weights{}) {
		w.add("weights", "", "all weights are 0", "give at least one item a weight above 0")
	}
}

// maxEntryName is the longest name that an event can carry, in characters.
const maxEntryName = 300

// checkDirectory looks for days that do not read, and for names that would
// stand for two entries on one day.
func checkDirectory(w *complaints, list string, entries []EntryConfig) {
	first := map[string][]int{}
	for i := range entries {
		c := &entries[i]
		field := fmt.Sprintf("%s[%d]", list, i)
		for _, day := range []struct{ name, value string }{{"from", c.From}, {"to", c.To}} {
			if _, err := schemas.ParseDate(day.value); day.value != "" && err != nil {
				w.add(field+"."+day.name, day.value, "not a date", "write YYYY-MM-DD, or leave it out")
			}
		}
		e := c.entry()
		if e.To != 0 && e.To < e.From {
			w.add(field+".to", c.To, "before from", "an entry ends on or after the day on which it begins")
		}
		if c.Name == "" {
			w.add(field+".name", "", "an entry needs a name", "")
		}
		if slices.Contains(c.Aliases, "") {
			w.add(field+".aliases", "", "an alias without text", "leave it out")
		}
		for _, word := range e.Words() {
			if utf8.RuneCountInString(word) > maxEntryName {
				w.add(field, schemas.Shorten(word), "too long for a name", fmt.Sprintf("at most %d characters", maxEntryName))
			}
			for _, j := range first[word] {
				if other := entries[j].entry(); e.Overlaps(&other) {
					w.add(field, word, fmt.Sprintf("stands for %s[%d] as well on the same day", list, j), "give one of them another name, or days that do not overlap")
				}
			}
			first[word] = append(first[word], i)
		}
	}
}
