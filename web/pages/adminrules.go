package pages

import (
	"fmt"
	"net/http"

	"milepost/schemas"
)

// ruleSet is a set of rules in words.
type ruleSet struct {
	From    string
	Current bool
	Groups  []ruleGroup
	Numbers []member
	Method  []schemas.MethodItem
	Departments,
	Leads []schemas.Entry
}

type ruleGroup struct {
	Name      string
	Districts []schemas.District
}

// adminRules answers GET /admin/rules with the rules as they are configured.
func (p *Pages) adminRules(w http.ResponseWriter, r *http.Request) error {
	c := p.adminOf(r, "/admin/rules")
	current := p.Rules.On(schemas.DateOf(p.Now()))
	for _, dated := range p.Rules.Sets() {
		set := rulesInWords(dated.Rules)
		set.Current = dated.Rules == current
		if dated.From > schemas.NewDate(1900, 1, 1) {
			set.From = dated.From.String()
		}
		c.Sets = append(c.Sets, set)
	}
	return p.show(w, r, http.StatusOK, "adminrules", "规则", c)
}

func rulesInWords(r *schemas.Rules) ruleSet {
	s := ruleSet{Method: r.Method, Departments: r.Departments.Entries(), Leads: r.Leads.Entries()}
	for _, g := range r.Groups {
		group := ruleGroup{Name: g.Name}
		for _, d := range r.Districts {
			if d.Group == g.Code {
				group.Districts = append(group.Districts, d)
			}
		}
		s.Groups = append(s.Groups, group)
	}
	yes := map[bool]string{true: "是", false: "否"}
	a := r.Assessing()
	s.Numbers = []member{
		{Name: "报送截止", Value: fmt.Sprintf("次月 %d 日", r.ReportDay)},
		{Name: "节点亮灯", Value: fmt.Sprintf("逾期 %d 个月黄灯，%d 个月红灯", r.YellowMonths, r.RedMonths)},
		{Name: "投资亮灯", Value: fmt.Sprintf("落后时序 %d 个百分点以上黄灯，%d 个以上红灯", r.YellowLag, r.RedLag)},
		{Name: "无进展", Value: fmt.Sprintf("连续 %d 个月没有进展", r.StalledMonths)},
		{Name: "节点完成须有佐证", Value: yes[r.EvidenceRequired]},
		{Name: "只认名录里的部门", Value: yes[r.DepartmentsClosed]}, {Name: "只认名录里的领导", Value: yes[r.LeadsClosed]},
		{Name: "得分权重", Value: fmt.Sprintf("落地 %d，开工 %d，投产 %d，台账 %d，投资 %d", r.Weights.Milestones[schemas.Landed], r.Weights.Milestones[schemas.Started], r.Weights.Milestones[schemas.Producing], r.Weights.Ledger, r.Weights.Investment)},
		{Name: "考核加分", Value: fmt.Sprintf("提前 %d 天以上完成，最多 +%d", a.BonusDays, a.BonusPoints)},
		{Name: "考核扣分", Value: fmt.Sprintf("开工逾期 %d 个月以上，最多 −%d", a.PenaltyMonths, a.PenaltyPoints)},
		{Name: "等次", Value: fmt.Sprintf("优秀 %d，良好 %d，合格 %d", a.Excellent, a.Good, a.Pass)},
	}
	return s
}
