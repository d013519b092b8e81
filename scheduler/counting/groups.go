package counting

import (
	"slices"
	"strings"

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

// Group is a set of rows that are ranked against each other: those with a
// district's group, the departments, or the leads.
type Group struct {
	Kind  string
	Group *string
	Rows  []Row // by key
}

// Row is a district, department or lead with its counts.
type Row struct {
	Key, Name string
	*Tally
}

// Ranked tells whether the row takes part in a ranking by the figure (§8).
func (r *Row) Ranked(figure *schemas.Figure) bool {
	return figure != nil && r.Projects > 0 && r.Key != Unassigned
}

// rows are the rows of one kind by key.
type rows map[string]*Tally

func (r rows) of(key string) *Tally {
	if key == "" {
		key = Unassigned
	}
	t := r[key]
	if t == nil {
		t = &Tally{}
		r[strings.Clone(key)] = t // the project's texts may be parts of a large one
	}
	return t
}

type allRows struct{ districts, departments, leads rows }

func newRows() *allRows { return &allRows{districts: rows{}, departments: rows{}, leads: rows{}} }

// groups gives the groups that have rows, in the order of §9. Districts that no
// configured group holds (the city itself, or a code that left the
// configuration) stand apart in a last district group, so that no project is
// missing from the tables.
func (a *allRows) groups(rules *schemas.Rules) []Group {
	byGroup := map[string][]string{}
	var elsewhere []string
	for code := range a.districts {
		district, ok := rules.District(code)
		if ok && slices.ContainsFunc(rules.Groups, func(o schemas.Group) bool { return o.Code == district.Group }) {
			byGroup[district.Group] = append(byGroup[district.Group], code)
		} else {
			elsewhere = append(elsewhere, code)
		}
	}
	var groups []Group
	add := func(kind string, group *string, keys []string, of rows, name func(string) string) {
		if len(keys) == 0 {
			return
		}
		slices.Sort(keys)
		g := Group{Kind: kind, Group: group, Rows: make([]Row, 0, len(keys))}
		for _, key := range keys {
			g.Rows = append(g.Rows, Row{Key: key, Name: name(key), Tally: of[key]})
		}
		groups = append(groups, g)
	}
	for i := range rules.Groups {
		code := rules.Groups[i].Code
		add(DistrictGroup, &code, byGroup[code], a.districts, rules.DistrictName)
	}
	add(DistrictGroup, nil, elsewhere, a.districts, rules.DistrictName)
	add(DepartmentGroup, nil, keysOf(a.departments), a.departments, holderName)
	add(LeadGroup, nil, keysOf(a.leads), a.leads, holderName)
	return groups
}

func keysOf(of rows) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
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
