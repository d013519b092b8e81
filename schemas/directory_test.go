package schemas

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// offices is a directory with a name that moved from one entry to another.
func offices() Directory {
	return NewDirectory([]Entry{
		{ID: "fgw", Name: "市发展和改革委员会", Aliases: []string{"市发改委", "发改委"}},
		{ID: "gxj", Name: "市工业和信息化局", Aliases: []string{"市工信局"}, From: NewDate(2019, 1, 1)},
		{ID: "gxw", Name: "市工业和信息化委员会", Aliases: []string{"市工信委", "市工信局"}, To: NewDate(2018, 12, 31)},
		{ID: "czj", Name: "市财政局"},
		{ID: "mzj", Name: "市民政局"},
		{ID: "jtj", Name: "市交通运输局", From: NewDate(2020, 1, 1), To: NewDate(2024, 12, 31)},
	})
}

func TestDirectoryFindsNamesByDay(t *testing.T) {
	day := NewDate(2025, 6, 30)
	for _, c := range []struct {
		word  string
		day   Date
		name  string
		known bool
		valid bool
	}{
		{"市发展和改革委员会", day, "市发展和改革委员会", true, true},
		{"发改委", day, "市发展和改革委员会", true, true},
		{"fgw", day, "市发展和改革委员会", true, true},
		{"市工信局", day, "市工业和信息化局", true, true},
		{"市工信局", NewDate(2018, 12, 31), "市工业和信息化委员会", true, true},
		{"市工信局", NewDate(2019, 1, 1), "市工业和信息化局", true, true},
		{"市工信委", day, "市工业和信息化委员会", true, false},
		{"gxj", NewDate(2018, 5, 1), "市工业和信息化局", true, false},
		{"市交通运输局", NewDate(2020, 1, 1), "市交通运输局", true, true},
		{"市交通运输局", NewDate(2024, 12, 31), "市交通运输局", true, true},
		{"市交通运输局", NewDate(2025, 1, 1), "市交通运输局", true, false},
		{"市林业局", day, "市林业局", false, false},
		{"", day, "", false, false},
	} {
		d := offices()
		e := d.Find(c.word, c.day)
		if (e != nil) != c.known || e != nil && e.ValidOn(c.day) != c.valid || d.NameOn(c.word, c.day) != c.name {
			t.Errorf("%s on %s: %+v counts as %s, want %s (known %t, valid %t)", c.word, c.day, e, d.NameOn(c.word, c.day), c.name, c.known, c.valid)
		}
	}
	if (Directory{}).Find("发改委", day) != nil || (Directory{}).NameOn("发改委", day) != "发改委" || !(Directory{}).IsZero() {
		t.Error("an empty directory knows a name")
	}
}

func TestDirectoryBetweenTwoTimesTakesTheNearer(t *testing.T) {
	d := NewDirectory([]Entry{
		{Name: "旧局", Aliases: []string{"局"}, To: NewDate(2010, 12, 31)},
		{Name: "新局", Aliases: []string{"局"}, From: NewDate(2020, 1, 1)},
	})
	for day, want := range map[Date]string{NewDate(2011, 6, 1): "旧局", NewDate(2019, 6, 1): "新局"} {
		if got := d.NameOn("局", day); got != want {
			t.Errorf("on %s %s, want %s", day, got, want)
		}
	}
}

func TestDirectoryNearestNames(t *testing.T) {
	for word, want := range map[string][]string{
		"财政局":                      {"市财政局", "市民政局"},
		"焦作市财政局":                   {"市财政局", "市民政局"},
		"市财政厅":                     {"市财政局", "市民政局"},
		"发改":                       {"市发展和改革委员会"},
		"FGV":                      {"市发展和改革委员会"},
		"市发展改革委员会":                 {"市发展和改革委员会"},
		"市工业和信息化":                  {"市工业和信息化局", "市工业和信息化委员会"},
		"unheard of":               nil,
		"局":                        nil,
		"":                         nil,
		"市工业和信息局委员会":               {"市工业和信息化委员会", "市工业和信息化局", "市发展和改革委员会"},
		strings.Repeat("市财政局", 20): nil, // too long to be a name that was mistyped
	} {
		if got := offices().Nearest(word); !slices.Equal(got, want) {
			t.Errorf("nearest to %q: %q, want %q", word, got, want)
		}
	}
	many := make([]Entry, 9)
	for i := range many {
		many[i].Name = fmt.Sprintf("第%d办公室", i)
	}
	if got := NewDirectory(many).Nearest("第十办公室"); len(got) != maxNearest {
		t.Errorf("%d names for a hint: %q", len(got), got)
	}
}

func TestRulesWithDirectoryKeepTheirHash(t *testing.T) {
	rules := DefaultRules()
	plain, err := rules.Hash()
	if err != nil {
		t.Fatal(err)
	}
	rules.Departments, rules.LeadsClosed = offices(), true
	hash, err := rules.Hash()
	if err != nil || hash == plain {
		t.Fatalf("hash %s with a directory and without, %v", hash, err)
	}
	text, err := json.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `{"id":"gxj","name":"市工业和信息化局","aliases":["市工信局"],"from":"2019-01-01"}`) {
		t.Errorf("rules: %s", text)
	}
	var again Rules
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(rules, &again) || !again.Departments.Equal(rules.Departments) {
		t.Errorf("read again as %+v", again)
	}
	if same, err := again.Hash(); err != nil || same != hash {
		t.Errorf("hash %s, read again %s, %v", hash, same, err)
	}
	shorter := NewDirectory(offices().Entries()[1:])
	if shorter.Equal(offices()) {
		t.Error("directories with other entries are equal")
	}
}

// Both validators refuse a name that a closed list does not have, and only on
// a day on which it is closed.
func TestClosedListsRefuse(t *testing.T) {
	open, closed := DefaultRules(), DefaultRules()
	open.Departments, open.Leads = offices(), NewDirectory([]Entry{{ID: "l1", Name: "领导甲"}, {ID: "l2", Name: "领导乙", To: NewDate(2025, 12, 31)}})
	*closed = *open
	closed.DepartmentsClosed, closed.LeadsClosed = true, true
	book, err := NewRuleBook([]DatedRules{{Rules: open}, {From: NewDate(2026, 1, 1), Rules: closed}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	fast := NewBookValidator(book)
	slow, err := NewBookSchemaValidator(book)
	if err != nil {
		t.Fatal(err)
	}
	assigned := func(lead, department, day string) []byte {
		return changed(t, ProjectAssigned, "data", fmt.Sprintf(`{"lead":%q,"department":%q,"effective_on":%q}`, lead, department, day))
	}
	adjusted := func(kind, key, day string) []byte {
		return changed(t, AdjustmentRecorded, "data", fmt.Sprintf(`{"year":2026,"target":{"kind":%q,"key":%q},"points":1,"reason":"r","document":"d","decided_on":%q}`, kind, key, day))
	}
	for _, c := range []struct {
		raw            []byte
		field, hint    string // of the refusal
		warned, saying string // of the warning
	}{
		{assigned("领导甲", "市财政局", "2026-02-01"), "", "", "", ""},
		{assigned("l1", "czj", "2026-02-01"), "", "", "", ""},
		{assigned("领导丙", "市财政局", "2026-02-01"), "data.lead", "did you mean 领导甲 or 领导乙?", "", ""},
		{assigned("领导甲", "财政局", "2026-02-01"), "data.department", "did you mean 市财政局 or 市民政局?", "", ""},
		{assigned("领导甲", "unheard of", "2026-02-01"), "data.department", "use a name of the directory; the city office adds new ones to its configuration", "", ""},
		{assigned("领导丙", "市财政局", "2025-12-31"), "", "", "data.lead", "counts as a name of its own; did you mean 领导甲 or 领导乙?"},
		{assigned("领导乙", "市财政局", "2026-02-01"), "", "", "data.lead", "only until 2025-12-31, and not on 2026-02-01; it counts as 领导乙"},
		{assigned("领导甲", "gxj", "2018-02-01"), "", "", "data.department", "only from 2019-01-01 on"},
		{adjusted("lead", "领导丁", "2026-02-01"), "data.target.key", "did you mean 领导甲 or 领导乙?", "", ""},
		{adjusted("department", "市财政厅", "2026-02-01"), "data.target.key", "did you mean 市财政局 or 市民政局?", "", ""},
		{adjusted("district", "xiuwo", "2026-02-01"), "", "", "data.target.key", "no configured district"},
		{changed(t, IssueRaised, "data.department", `"财政局"`), "", "", "data.department", "did you mean 市财政局"},
	} {
		e, warnings, err := fast.Decode(c.raw)
		same, sameWarnings, sameErr := slow.Validate(c.raw)
		if !reflect.DeepEqual(e, same) || !reflect.DeepEqual(warnings, sameWarnings) || fmt.Sprint(err) != fmt.Sprint(sameErr) {
			t.Errorf("%s: %v %v, but by the schemas %v %v", c.raw, warnings, err, sameWarnings, sameErr)
		}
		if c.field != "" {
			if refusal, ok := err.(*Error); !ok || refusal.Code != Unknown || refusal.Field != c.field || refusal.Hint != c.hint || refusal.Value == "" {
				t.Errorf("%s: %#v, want a refusal of %s: %s", c.raw, err, c.field, c.hint)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.raw, err)
			continue
		}
		got := Warning{}
		if len(warnings) > 0 {
			got = warnings[0]
		}
		if len(warnings) > 1 || got.Field != c.warned || !strings.Contains(got.Message, c.saying) {
			t.Errorf("%s: warnings %v, want one for %q: %s", c.raw, warnings, c.warned, c.saying)
		}
	}
}

// BenchmarkDirectory looks names up in a directory of 500 entries.
func BenchmarkDirectory(b *testing.B) {
	entries := make([]Entry, 500)
	for i := range entries {
		entries[i] = Entry{ID: fmt.Sprintf("d%03d", i), Name: fmt.Sprintf("市第%d办公室", i), Aliases: []string{fmt.Sprintf("第%d办", i)}, From: NewDate(2000, 1, 1)}
	}
	d, day := NewDirectory(entries), NewDate(2025, 6, 30)
	b.Run("alias", func(b *testing.B) {
		for b.Loop() {
			if d.NameOn("第321办", day) == "第321办" {
				b.Fatal("not found")
			}
		}
	})
	b.Run("unknown", func(b *testing.B) {
		for b.Loop() {
			if d.Find("市林业局", day) != nil {
				b.Fatal("found")
			}
		}
	})
	b.Run("nearest", func(b *testing.B) {
		for b.Loop() {
			if len(d.Nearest("市第321力公室")) == 0 {
				b.Fatal("not found")
			}
		}
	})
}
