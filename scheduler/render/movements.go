package render

import (
	"fmt"
	"slices"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// movement is a project whose light changed since the period before.
type movement struct {
	now  *schemas.Standing
	from schemas.Light
}

// lightRank orders lights from good to bad; grey and none are neither.
func lightRank(l schemas.Light) int {
	return slices.Index([]schemas.Light{schemas.Green, schemas.Yellow, schemas.Red}, l)
}

// moved lists the projects whose light changed, by id.
func (c *composer) moved() []movement {
	d := c.names.Details
	if d == nil || d.Before == nil {
		return nil
	}
	var list []movement
	for i := range d.Ledger.Standings {
		s := &d.Ledger.Standings[i]
		if s.Cancelled || !c.visible(s.ProjectID) {
			continue
		}
		if before := d.Earlier(s.ProjectID); before != nil && !before.Cancelled && before.Light != s.Light {
			list = append(list, movement{now: s, from: before.Light})
		}
	}
	return list
}

// movements says how lights changed since the period before, and lists them in
// an annex.
func (c *composer) movements() {
	list := c.moved()
	if c.names.Details == nil || c.names.Details.Before == nil {
		return
	}
	if len(list) == 0 {
		c.say("与上期末相比，没有项目的亮灯发生变化。")
		return
	}
	better, worse, other := 0, 0, 0
	t := &document.Table{Key: "movements", Cards: true, Columns: slices.Concat(numbers(2.4, "序号"), []document.Column{words(12, "项目"), codes(4.2, "编号"), words(5, "县（市）区"),
		words(3.6, "上期末"), {Name: "本期末", Kind: document.LightColumn, Width: 3.6}, words(4, "变化"), words(5, "市级领导"), words(8, "市直部门")})}
	for i, m := range list {
		change := "其他"
		from, to := lightRank(m.from), lightRank(m.now.Light)
		switch {
		case from < 0 || to < 0:
			other++
		case to < from:
			better++
			change = "好转"
		default:
			worse++
			change = "变差"
		}
		t.Rows = append(t.Rows, document.Row{Cells: []document.Cell{number("", i+1), word(m.now.Name), word(m.now.ProjectID), word(c.names.Rules.DistrictName(m.now.District)),
			word(document.LightName(m.from)), light("", m.now.Light), word(change), word(wordOr(m.now.Holder.Lead)), word(wordOr(m.now.Holder.Department))}})
	}
	annex := c.annex("movements", "亮灯变化的项目", false, t)
	c.say(fmt.Sprintf("与上期末相比，亮灯变化的项目%d个：", len(list)), parts("个", part{"好转", "", better}, part{"变差", "", worse}, part{"其他变化", "", other}), "，见"+annex+"。")
}

func wordOr(s string) string {
	if s == "" {
		return unknown
	}
	return s
}

// machineAnnex is the machine-readable annex: the model, and for each project
// what the model does not hold.
type machineAnnex struct {
	Model    *schemas.Bulletin `json:"model"`
	Projects []projectVariance `json:"projects,omitempty"`
}

// projectVariance is a project's plans with days of variance, the movement of
// its light, and what its open issues are about.
type projectVariance struct {
	ProjectID   string                       `json:"project_id"`
	Light       schemas.Light                `json:"light"`
	LightBefore *schemas.Light               `json:"light_before"`
	Causes      []string                     `json:"causes"`
	Milestones  map[string]milestoneVariance `json:"milestones"`
}

type milestoneVariance struct {
	Baseline        schemas.Date `json:"baseline"`
	Target          schemas.Date `json:"target"`
	Forecast        schemas.Date `json:"forecast"`
	ReachedOn       schemas.Date `json:"reached_on"`
	TargetVariance  *int         `json:"target_variance_days"`   // target − baseline
	CurrentVariance *int         `json:"forecast_variance_days"` // reached or forecast − target
}

// variances lists the projects that are not cancelled, by id.
func (c *composer) variances() []projectVariance {
	d := c.names.Details
	if d == nil {
		return nil
	}
	var list []projectVariance
	for i := range d.Ledger.Standings {
		s := &d.Ledger.Standings[i]
		if s.Cancelled {
			continue
		}
		p := projectVariance{ProjectID: s.ProjectID, Light: s.Light, Causes: []string{}, Milestones: map[string]milestoneVariance{}}
		if before := d.Earlier(s.ProjectID); before != nil {
			p.LightBefore = &before.Light
		}
		for j := range s.Issues {
			if s.Issues[j].Open() && !slices.Contains(p.Causes, s.Issues[j].Category) {
				p.Causes = append(p.Causes, s.Issues[j].Category)
			}
		}
		slices.Sort(p.Causes)
		for _, m := range schemas.Milestones() {
			n := &s.Milestones[m]
			current := n.Forecast
			if n.ReachedOn != 0 {
				current = n.ReachedOn
			}
			p.Milestones[m.String()] = milestoneVariance{Baseline: n.Baseline, Target: n.Target, Forecast: n.Forecast, ReachedOn: n.ReachedOn,
				TargetVariance: daysOrNull(n.Baseline, n.Target), CurrentVariance: daysOrNull(n.Target, current)}
		}
		list = append(list, p)
	}
	return list
}

func daysOrNull(from, to schemas.Date) *int {
	if from == 0 || to == 0 {
		return nil
	}
	n := int(to - from)
	return &n
}
