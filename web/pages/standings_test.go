package pages

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"milepost/schemas"
)

// someStandings gives n standings by project id that are alike enough for many
// ties.
func someStandings(random *rand.Rand, n int) []schemas.Standing {
	one := func(words ...string) string { return words[random.IntN(len(words))] }
	standings := make([]schemas.Standing, n)
	for i := range standings {
		s := &standings[i]
		s.ProjectID = fmt.Sprintf("%s-%04d", one("P", "x"), random.IntN(10*n))
		s.Name = one("焦作重工扩建", "云台山康养小镇", "年产5万吨LNG储罐", "Ünıted 港", "")
		s.Enterprise = one("", "企业12有限公司", "abc(集团)")
		s.District = one("shanyang", "xiuwu", "wuzhi")
		s.Holder = schemas.Holder{Lead: one("", "领导甲", "领导乙", unassigned), Department: one("", "发改委", "工信局")}
		s.Tags = [][]string{nil, {"市重点"}, {"市重点", "省重点"}}[random.IntN(3)]
		s.Light, s.Status, s.Stage = lights()[random.IntN(5)], statuses()[random.IntN(5)], stages()[random.IntN(4)]
		s.Cancelled, s.Suspended = random.IntN(10) == 0, random.IntN(10) == 0
		s.TotalInvestment = schemas.Money(random.IntN(4) * 100)
		s.Investment = schemas.InvestmentStanding{Plan: schemas.Money(random.IntN(3)), Invested: schemas.Money(random.IntN(5)), Known: random.IntN(4) > 0}
		for m := range s.Milestones {
			s.Milestones[m].Target = schemas.Date(random.IntN(3) * 20000)
			s.Milestones[m].ReachedOn = schemas.Date(random.IntN(2) * 19000)
		}
		for range random.IntN(3) {
			s.Issues = append(s.Issues, schemas.IssueStanding{ID: "i", ResolvedOn: schemas.Date(random.IntN(2))})
		}
	}
	slices.SortFunc(standings, func(a, b schemas.Standing) int { return strings.Compare(a.ProjectID, b.ProjectID) })
	return slices.CompactFunc(standings, func(a, b schemas.Standing) bool { return cmp.Compare(a.ProjectID, b.ProjectID) == 0 })
}

// snapshotOf gives a ledger of standings as pages hold it.
func snapshotOf(standings ...schemas.Standing) *snapshot {
	asOf := schemas.NewDate(2025, 10, 31)
	s := &snapshot{cut: cut{asOf: asOf}, rules: schemas.DefaultRules(), ledger: &schemas.Ledger{AsOf: asOf, Standings: standings}}
	s.derive()
	return s
}
