package xlsx

import (
	"cmp"
	"math"
	"slices"

	"milepost/schemas"
)

// ranking is the sheet of a group: the best first, or without ranks in the
// order of the model.
func (b *bulletin) ranking(g *schemas.RankedGroup) *sheet {
	ranked := b.names.ranks(g.Kind)
	var columns []column
	if ranked {
		columns = []column{{name: "名次", kind: count}}
	}
	columns = append(columns, column{name: rowWord(g.Kind), kind: words, least: 14})
	if ranked {
		columns = append(columns, column{name: "得分", kind: points}, column{name: "名次变化", kind: change})
	}
	columns = append(columns, column{name: "项目数", kind: count})
	columns = append(columns, tallyColumns()...)
	columns = append(columns, column{name: "年度计划", kind: money}, column{name: "完成投资", kind: money}, column{name: "投资完成率", kind: percent},
		column{name: "时序进度", kind: percent}, column{name: "与时序差百分点", kind: distance}, column{name: "七个一落实率", kind: percent},
		column{name: "应报送", kind: count}, column{name: "按时报送", kind: count})
	list := slices.Clone(g.Rows)
	slices.SortStableFunc(list, func(a, b schemas.RankedRow) int {
		if !ranked {
			return unassignedLast(a.Key, b.Key)
		}
		return cmp.Or(cmp.Compare(rankOrLast(a.Rank), rankOrLast(b.Rank)), unassignedLast(a.Key, b.Key))
	})
	size, rows := rowsOf(list, func(_ int, r *schemas.RankedRow) []any {
		var row []any
		if ranked {
			row = append(row, r.Rank)
		}
		row = append(row, r.Name)
		if ranked {
			row = append(row, r.Score, r.RankChange)
		}
		row = append(append(row, r.Projects), tallies(&r.Milestones)...)
		return append(row, r.Investment.Plan, r.Investment.Invested, r.Investment.Rate, r.Investment.TimeProgress, r.Investment.VsTime, r.Completeness, r.ReportsDue, r.ReportsOnTime)
	})
	s := &sheet{name: "排名·" + groupName(g.Kind, g.Group, b.names.Rules), frozen: 1, blocks: []block{{table: table{columns: columns, size: size, rows: rows}}}}
	if ranked {
		s.frozen = 2
		s.notes = []string{"只在组内排名；同分同名次。没有项目的、未分包的不排名次。"}
	} else {
		s.name, s.notes = groupName(g.Kind, g.Group, b.names.Rules), []string{"市级领导不排名次。"}
	}
	return s
}

// tallyColumns are those of the counts of the three milestones.
func tallyColumns() []column {
	var list []column
	for _, m := range schemas.Milestones() {
		name := milestoneName(m.String())
		list = append(list, column{name: name + "应完成", kind: count}, column{name: name + "已完成", kind: count}, column{name: name + "按期", kind: count},
			column{name: name + "逾期", kind: count}, column{name: name + "完成率", kind: percent})
	}
	return list
}

func tallies(counts *schemas.MilestoneCounts) []any {
	var row []any
	for _, m := range schemas.Milestones() {
		t := counts.Of(m)
		row = append(row, t.DueToDate, t.Done, t.OnTime, t.Late, t.RateToDate)
	}
	return row
}

func rankOrLast(rank *int) int {
	if rank == nil {
		return math.MaxInt
	}
	return *rank
}

// unassignedLast puts the row of projects that nobody holds below the others.
func unassignedLast(a, b string) int {
	const nobody = "unassigned"
	if (a == nobody) == (b == nobody) {
		return 0
	}
	if a == nobody {
		return 1
	}
	return -1
}
