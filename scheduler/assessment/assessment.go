// Package assessment builds the model of the year-end assessment (年终考核) from
// the ledger: what the specification's §10 adds to the score of a row. It is a
// pure function of the ledger, the rules, the year and last year's grades.
package assessment

import (
	"context"
	"fmt"

	"milepost/scheduler/counting"
	"milepost/schemas"
)

// Reader gives the ledger of a cut (the specification, §4 and item 6 of §7),
// judged by the rules that the assessment is built with. Holders and the keys of
// adjustments are named as the rules' directory does.
type Reader interface {
	Ledger(ctx context.Context, cut schemas.Cut) (*schemas.Ledger, error)
}

// RowKey names a row whatever group it stands in: a district keeps its key when
// it changes its group.
type RowKey struct{ Kind, Key string }

// LastYear are the grades of the finalised result of the year before; nil when
// it has none.
type LastYear map[RowKey]schemas.Grade

// Grades gives the grades of an assessment for the one of the next year.
func Grades(model *schemas.Assessment) LastYear {
	grades := LastYear{}
	for _, g := range model.Groups {
		for i := range g.Rows {
			if r := &g.Rows[i]; r.Grade != nil {
				grades[RowKey{g.Kind, r.Key}] = *r.Grade
			}
		}
	}
	return grades
}

// Period is the year as a period; E is its last day.
func Period(year int) schemas.Period {
	return schemas.PeriodContaining(schemas.Year, schemas.NewDate(year, 12, 31))
}

// Build makes the model of the year at S = known. Equal ledgers give equal bytes
// of JSON, in whatever order their standings come.
func Build(ctx context.Context, r Reader, rules *schemas.Rules, year int, known uint64, last LastYear) (*schemas.Assessment, error) {
	period := Period(year)
	cut := schemas.BulletinCut(period, known)
	cut.Trace = true
	ledger, err := r.Ledger(ctx, cut)
	if err != nil {
		return nil, fmt.Errorf("ledger as of %s: %w", cut.AsOf, err)
	}
	counts, err := counting.Count(ledger, rules, period, counting.KeepProjects)
	if err != nil {
		return nil, err
	}
	a := assessor{rules: rules, numbers: rules.Assessing(), year: year, month: ledger.ReportingMonth, scope: counts.Scope, last: last}
	recorded := adjustmentsOf(ledger.Adjustments, year)
	model := &schemas.Assessment{Year: year, KnownSeq: ledger.KnownSeq, Groups: make([]schemas.AssessedGroup, 0, len(counts.Groups))}
	for i := range counts.Groups {
		model.Groups = append(model.Groups, a.group(&counts.Groups[i], recorded))
	}
	model.UnmatchedAdjustments = recorded.unmatched()
	return model, nil
}

// assessor holds what every row is assessed with.
type assessor struct {
	rules   *schemas.Rules
	numbers schemas.AssessmentRules
	year    int
	month   schemas.Month // M*
	scope   counting.Scope
	last    LastYear
}

func (a *assessor) group(g *counting.Group, recorded *adjustments) schemas.AssessedGroup {
	assessed := schemas.AssessedGroup{Kind: g.Kind, Group: g.Group, Rows: make([]schemas.AssessedRow, len(g.Rows))}
	finals := make([]*schemas.Figure, len(g.Rows))
	for i := range g.Rows {
		r, row := &g.Rows[i], &assessed.Rows[i]
		*row = a.row(r, recorded.take(RowKey{g.Kind, r.Key}))
		if r.Ranked(row.Final) {
			finals[i] = row.Final
		}
	}
	ranked := 0
	for i, rank := range counting.Ranks(finals) {
		if rank != nil {
			ranked++
			assessed.Rows[i].Rank = rank
			assessed.Rows[i].Grade = a.grade(&assessed.Rows[i])
		}
	}
	for i := range assessed.Rows {
		a.hint(RowKey{g.Kind, g.Rows[i].Key}, &assessed.Rows[i], &g.Rows[i], ranked)
	}
	return assessed
}

func (a *assessor) row(r *counting.Row, adjusted adjustment) schemas.AssessedRow {
	items := r.Items(a.rules.Weights)
	score, bonus, penalty := counting.Score(items), a.bonus(r), a.penalty(r)
	return schemas.AssessedRow{
		Key: r.Key, Name: r.Name, Projects: r.Projects, Milestones: r.MilestoneCounts(), Investment: r.Investment(a.month),
		Completeness: r.Completeness(), ReportsDue: r.ReportsDue, ReportsOnTime: r.ReportsOnTime, Score: schemas.Rounded(score, 2),
		Bonus: schemas.Rounded(bonus, 2), Penalty: schemas.Rounded(penalty, 2), Adjustment: adjusted.figure(), Veto: adjusted.veto,
		Final: schemas.Rounded(final(score, bonus, penalty, adjusted.points()), 2),
		Hints: []schemas.Hint{}, HintReasons: schemas.HintReasons{}, Items: a.items(r, items),
	}
}

// grade is that of a ranked row, by its rounded final.
func (a *assessor) grade(row *schemas.AssessedRow) *schemas.Grade {
	grade := schemas.GradeFail
	atLeast := func(points int) bool { return row.Final.Units >= int64(points)*100 }
	switch {
	case row.Veto:
	case atLeast(a.numbers.Excellent):
		grade = schemas.GradeExcellent
	case atLeast(a.numbers.Good):
		grade = schemas.GradeGood
	case atLeast(a.numbers.Pass):
		grade = schemas.GradePass
	}
	return &grade
}
