package xlsx

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

func assessed(t testing.TB) *schemas.Assessment {
	t.Helper()
	var model schemas.Assessment
	readJSON(t, "assessment.json", &model)
	return &model
}

func assessmentFile(t testing.TB, model *schemas.Assessment, names Names, rows int) *excelize.File {
	t.Helper()
	var b bytes.Buffer
	if err := writeAssessment(&b, model, names, rows); err != nil {
		t.Fatal(err)
	}
	return open(t, b.Bytes())
}

func TestEveryPointAddsUp(t *testing.T) {
	t.Parallel()
	model := assessed(t)
	f := assessmentFile(t, model, Names{Rules: schemas.DefaultRules()}, rowsInSheet)
	for _, sheet := range []string{"县(市)组", "城区组", "责任单位"} {
		compareFormulas(t, f, sheet, 8)
		rows := rowsIn(t, f, sheet)
		heading := rows[4]
		for _, row := range rows[5:] {
			for _, name := range []string{"与得分差", "与最终差"} {
				at := slices.Index(heading, name)
				if at >= len(row) || row[at] == unknown {
					continue
				}
				if difference, err := strconv.ParseFloat(row[at], 64); err != nil || math.Abs(difference) > 0.03 {
					t.Errorf("%s %s: %s is %s", sheet, row[1], name, row[at])
				}
			}
		}
	}
	want := model.Groups[0].Rows[0]
	for _, row := range rowsIn(t, f, "县(市)组") {
		if len(row) > 1 && row[1] == want.Name {
			if got := row[scoreHead+pointsPlace]; got != fmt.Sprint(want.Items[0].Points.Float()) {
				t.Errorf("%s has %s points for %s, not %s", want.Name, got, want.Items[0].Item, want.Items[0].Points)
			}
		}
	}
}

func TestEveryPointIsTracedToItsEvents(t *testing.T) {
	t.Parallel()
	model, names := assessed(t), Names{Rules: schemas.DefaultRules(), RankLeads: true}
	var want []string
	for g := range model.Groups {
		for _, r := range model.Groups[g].Rows {
			for i := range r.Items {
				for n := range 7 {
					r.Items[i].Events = append(r.Items[i].Events, schemas.EventRef{Source: "=1+1", ID: fmt.Sprintf("x-%d", n)})
				}
				for _, e := range r.Items[i].Events {
					want = append(want, strings.Join([]string{r.Name, milestoneName(r.Items[i].Item), e.Source, e.ID}, " "))
				}
			}
		}
	}
	for _, rows := range []int{rowsInSheet, 200} {
		f := assessmentFile(t, model, names, rows)
		var got []string
		sheets := 0
		for _, sheet := range f.GetSheetList() {
			if !strings.HasPrefix(sheet, tracesSheet) {
				continue
			}
			sheets++
			listed := rowsIn(t, f, sheet)
			if len(listed) > rows {
				t.Errorf("%s has %d rows of %d", sheet, len(listed), rows)
			}
			for _, row := range listed[4:] {
				got = append(got, strings.Join([]string{row[1], row[2], row[5], row[6]}, " "))
			}
		}
		if (sheets > 1) != (rows == 200) {
			t.Errorf("%d sheets with %d rows each", sheets, rows)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%d events are listed, not %d", len(got), len(want))
		}
	}
	last := rowsIn(t, assessmentFile(t, model, names, 20), fmt.Sprintf("%s%d", tracesSheet, traceSheets))
	if !strings.Contains(last[2][0], "不能列入") {
		t.Errorf("what is left out is not said: %s", last[2][0])
	}
}

func TestLeadersHaveNoPointsUnlessConfigured(t *testing.T) {
	t.Parallel()
	model, names := assessed(t), Names{Rules: schemas.DefaultRules()}
	f := assessmentFile(t, model, names, rowsInSheet)
	for _, row := range rowsIn(t, f, "包联领导") {
		for _, name := range []string{"名次", "得分", "最终得分", "等次"} {
			if slices.Contains(row, name) {
				t.Errorf("a leader has the column %s", name)
			}
		}
	}
	leads := model.Groups[len(model.Groups)-1].Rows
	lead := leads[slices.IndexFunc(leads, func(r schemas.AssessedRow) bool { return r.Key != "unassigned" })].Name
	for _, sheet := range []string{"考核结果", "奖惩提示", tracesSheet} {
		for _, row := range rowsIn(t, f, sheet) {
			if slices.Contains(row, lead) {
				t.Errorf("%s names %s", sheet, lead)
			}
		}
	}
	names.RankLeads = true
	if !slices.Contains(rowsIn(t, assessmentFile(t, model, names, rowsInSheet), "包联领导")[4], "等次") {
		t.Error("configured, leaders have grades")
	}
}

func TestAnAssessmentSaysWhichEditionItIs(t *testing.T) {
	t.Parallel()
	one, three := 1, 3
	for _, edition := range []struct {
		number *int
		name   string
	}{{nil, "草案"}, {&one, "定稿"}, {&three, "定稿（第2号更正）"}} {
		f := assessmentFile(t, &schemas.Assessment{Year: 2025}, Names{Rules: schemas.DefaultRules(), Number: edition.number}, rowsInSheet)
		if got := rowsIn(t, f, "考核结果")[1][0]; !strings.HasPrefix(got, edition.name+"　") {
			t.Errorf("%s says %s", edition.name, got)
		}
	}
	if err := Assessment(io.Discard, assessed(t), Names{}); err == nil {
		t.Error("without rules an assessment cannot be written")
	}
}

func TestSheetNamesAreAcceptedAndUnique(t *testing.T) {
	t.Parallel()
	b := workbook{names: map[string]bool{}}
	long := strings.Repeat("县", 40)
	for _, name := range []struct{ wanted, got string }{{"台账", "台账"}, {"台账", "台账（2）"}, {"a/b:c", "a_b_c"}, {"A/B:C", "A_B_C（2）"}, {long, strings.Repeat("县", 31)}, {long, strings.Repeat("县", 28) + "（2）"}} {
		if got := b.sheetName(name.wanted); got != name.got {
			t.Errorf("%s became %s, not %s", name.wanted, got, name.got)
		}
	}
}
