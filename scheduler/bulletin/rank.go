package bulletin

import (
	"milepost/scheduler/counting"
	"milepost/schemas"
)

// rankedGroups prints the rows of the counts and ranks them by score (§8).
func rankedGroups(counts *counting.Counts, rules *schemas.Rules, month schemas.Month) []schemas.RankedGroup {
	groups := make([]schemas.RankedGroup, 0, len(counts.Groups))
	for _, g := range counts.Groups {
		ranked := schemas.RankedGroup{Kind: g.Kind, Group: g.Group, Rows: make([]schemas.RankedRow, len(g.Rows))}
		scores := make([]*schemas.Figure, len(g.Rows))
		for i := range g.Rows {
			r := &g.Rows[i]
			score := schemas.Rounded(counting.Score(r.Items(rules.Weights)), 2)
			ranked.Rows[i] = schemas.RankedRow{
				Key: r.Key, Name: r.Name, Projects: r.Projects, Milestones: r.MilestoneCounts(), Investment: r.Investment(month),
				Completeness: r.Completeness(), ReportsDue: r.ReportsDue, ReportsOnTime: r.ReportsOnTime, Score: score,
			}
			if r.Ranked(score) {
				scores[i] = score
			}
		}
		for i, rank := range counting.Ranks(scores) {
			ranked.Rows[i].Rank = rank
		}
		groups = append(groups, ranked)
	}
	return groups
}

// setRankChanges compares with the groups of one period before.
func setRankChanges(groups, before []schemas.RankedGroup) {
	type place struct{ group, key string }
	ranks := map[place]int{}
	for i := range before {
		for _, r := range before[i].Rows {
			if r.Rank != nil {
				ranks[place{groupPath(&before[i]), r.Key}] = *r.Rank
			}
		}
	}
	for i := range groups {
		rows := groups[i].Rows
		for j := range rows {
			old, ok := ranks[place{groupPath(&groups[i]), rows[j].Key}]
			if ok && rows[j].Rank != nil {
				change := old - *rows[j].Rank
				rows[j].RankChange = &change
			}
		}
	}
}

// groupPath names a group as restatements do: district/county, department.
func groupPath(g *schemas.RankedGroup) string {
	if g.Group == nil {
		return g.Kind
	}
	return g.Kind + "/" + *g.Group
}
