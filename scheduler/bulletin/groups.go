package bulletin

import (
	"slices"

	"milepost/schemas"
)

// Unassigned is the key of the row of projects that nobody holds, and
// UnassignedName its name (the specification, §6).
const (
	Unassigned     = "unassigned"
	UnassignedName = "未分包"
)

// The kinds of groups.
const (
	DistrictGroup   = "district"
	DepartmentGroup = "department"
	LeadGroup       = "lead"
)

// rowTallies are the rows of one kind by key.
type rowTallies map[string]*tally

func (r rowTallies) row(key string) *tally {
	if key == "" {
		key = Unassigned
	}
	t := r[key]
	if t == nil {
		t = &tally{}
		r[key] = t
	}
	return t
}

// groupTallies are the rows that projects are counted in.
type groupTallies struct {
	districts, departments, leads rowTallies
}

func newGroupTallies() *groupTallies {
	return &groupTallies{districts: rowTallies{}, departments: rowTallies{}, leads: rowTallies{}}
}

// ranked gives the groups that have rows, in the order of §9. Districts that no
// configured group holds (the city itself, or a code that left the
// configuration) stand apart in a last district group, so that no project is
// missing from the tables.
func (g *groupTallies) ranked(rules *schemas.Rules, month schemas.Month) []schemas.RankedGroup {
	byGroup := map[string][]string{}
	var elsewhere []string
	for code := range g.districts {
		district, ok := rules.District(code)
		if ok && slices.ContainsFunc(rules.Groups, func(o schemas.Group) bool { return o.Code == district.Group }) {
			byGroup[district.Group] = append(byGroup[district.Group], code)
		} else {
			elsewhere = append(elsewhere, code)
		}
	}
	groups := []schemas.RankedGroup{}
	add := func(kind string, group *string, keys []string, rows rowTallies, name func(string) string) {
		if len(keys) == 0 {
			return
		}
		slices.Sort(keys)
		ranked := schemas.RankedGroup{Kind: kind, Group: group, Rows: make([]schemas.RankedRow, 0, len(keys))}
		for _, key := range keys {
			ranked.Rows = append(ranked.Rows, rows[key].row(key, name(key), rules, month))
		}
		rank(ranked.Rows)
		groups = append(groups, ranked)
	}
	for i := range rules.Groups {
		code := rules.Groups[i].Code
		add(DistrictGroup, &code, byGroup[code], g.districts, rules.DistrictName)
	}
	add(DistrictGroup, nil, elsewhere, g.districts, rules.DistrictName)
	add(DepartmentGroup, nil, keysOf(g.departments), g.departments, holderName)
	add(LeadGroup, nil, keysOf(g.leads), g.leads, holderName)
	return groups
}

func keysOf(rows rowTallies) []string {
	keys := make([]string, 0, len(rows))
	for key := range rows {
		keys = append(keys, key)
	}
	return keys
}

func holderName(key string) string {
	if key == Unassigned {
		return UnassignedName
	}
	return key
}

func (t *tally) row(key, name string, rules *schemas.Rules, month schemas.Month) schemas.RankedRow {
	row := schemas.RankedRow{
		Key: key, Name: name, Projects: t.projects, Milestones: t.milestoneCounts(), Investment: t.investment(month),
		Completeness: percentOf(t.completeness()), ReportsDue: t.reportsDue, ReportsOnTime: t.reportsOnTime,
	}
	if exact := t.score(rules.Weights); exact != nil {
		row.Score = schemas.Rounded(exact, 2)
	}
	return row
}

// groupPath names a group as restatements do: district/county, department.
func groupPath(g *schemas.RankedGroup) string {
	if g.Group == nil {
		return g.Kind
	}
	return g.Kind + "/" + *g.Group
}
