package xlsx

import (
	"fmt"
	"io"
	"slices"

	"milepost/schemas"
)

// mostProjects bounds the ledger of a workbook, which must fit one sheet.
const mostProjects = 1_000_000

// Bulletin writes the workbook of a bulletin: overview, charts, ledger, rankings,
// and a sheet for each list. ledger is the ledger of the period's last day as
// known at the model's sequence, under the model's rules; nil leaves the sheets
// that come from it out. Not in a public edition, a ledger of other projects than
// the model counts is refused: the sheets would contradict each other.
func Bulletin(w io.Writer, model *schemas.Bulletin, ledger []schemas.LedgerRow, names Names) error {
	if err := names.check(); err != nil {
		return err
	}
	if err := checkLedger(model, ledger, &names); err != nil {
		return err
	}
	number := "草案"
	if model.IssueNo != nil {
		number = fmt.Sprintf("第%d期", *model.IssueNo)
	}
	facts := fmt.Sprintf("%s　数据截至%s　报告月%s　金额单位：万元　数据版本：%d", number, chineseDate(model.PeriodEnd), model.ReportingMonth, model.KnownSeq)
	book, err := newWorkbook(model.Title, facts, model.PeriodEnd)
	if err != nil {
		return fmt.Errorf("bulletin %s as XLSX: %w", model.Period, err)
	}
	defer func() { _ = book.file.Close() }() // its temporary files; the workbook is written
	b := bulletin{model: model, names: &names, book: book}
	b.sortLedger(ledger)
	if err := b.sheets(ledger != nil); err != nil {
		return fmt.Errorf("bulletin %s as XLSX: %w", model.Period, err)
	}
	if err := book.finish(w); err != nil {
		return fmt.Errorf("bulletin %s as XLSX: %w", model.Period, err)
	}
	return nil
}

func checkLedger(model *schemas.Bulletin, ledger []schemas.LedgerRow, names *Names) error {
	if len(ledger) > mostProjects {
		return &schemas.Error{Code: schemas.TooLarge, Message: "more projects than a sheet has rows", Field: "ledger", Value: fmt.Sprint(len(ledger)),
			Hint: "ask for the ledger as CSV or JSON"}
	}
	if ledger == nil || names.Public {
		return nil
	}
	counted := 0
	for i := range ledger {
		if !ledger[i].Cancelled {
			counted++
		}
	}
	if counted != model.Totals.Projects {
		return &schemas.Error{Code: schemas.Internal, Message: "the ledger has other projects than the bulletin counts", Field: "ledger", Value: fmt.Sprint(counted),
			Hint: fmt.Sprintf("the bulletin counts %d", model.Totals.Projects)}
	}
	return nil
}

// bulletin is the workbook of a bulletin as it is made.
type bulletin struct {
	model *schemas.Bulletin
	names *Names
	book  *workbook
	// projects are the ledger without the cancelled ones, which are apart.
	projects, cancelled []*schemas.LedgerRow
	byID                map[string]*schemas.LedgerRow
}

func (b *bulletin) sortLedger(ledger []schemas.LedgerRow) {
	b.byID = make(map[string]*schemas.LedgerRow, len(ledger))
	for i := range ledger {
		row := &ledger[i]
		b.byID[row.ProjectID] = row
		if row.Cancelled {
			b.cancelled = append(b.cancelled, row)
		} else {
			b.projects = append(b.projects, row)
		}
	}
}

func (b *bulletin) sheets(withLedger bool) error {
	plan := []*sheet{b.overview(withLedger && !b.names.Public)}
	if s := b.charts(withLedger); s != nil {
		plan = append(plan, s)
	}
	if withLedger {
		plan = append(plan, b.ledger())
	}
	for i := range b.model.Groups {
		plan = append(plan, b.ranking(&b.model.Groups[i]))
	}
	plan = append(plan, b.lagging(), b.reached(), b.upcoming())
	if !b.weekly() {
		plan = append(plan, b.unreported())
	}
	if withLedger {
		plan = append(plan, b.issues(), b.method())
	}
	plan = append(plan, b.cancelledProjects())
	if !b.names.Public {
		plan = append(plan, b.quality(), b.restatements())
	}
	if len(b.names.Notes) > 0 {
		plan = append(plan, notes(b.names.Notes))
	}
	for _, s := range plan {
		at, err := b.book.add(s)
		if err != nil {
			return err
		}
		if s.name == ledgerSheet {
			if err := b.nameLedger(at[0]); err != nil {
				return err
			}
		}
	}
	return nil
}

// weekly tells whether the bulletin is of a week.
func (b *bulletin) weekly() bool { return b.model.Kind == schemas.Week }

// project gives the name of a project that stands in the model by its id.
func (b *bulletin) project(id string) string {
	if row := b.byID[id]; row != nil {
		return row.Name
	}
	if name := b.names.Projects[id]; name != "" {
		return name
	}
	return unknown
}

func notes(texts []string) *sheet {
	size, rows := rowsOf(slices.Clone(texts), func(i int, text *string) []any { return []any{i + 1, *text} })
	return &sheet{name: "口径说明", blocks: []block{{table: table{size: size, rows: rows,
		columns: []column{{name: "序号", kind: count}, {name: "说明", kind: words, least: 110, most: 110}}}}}}
}
