package render

import (
	"fmt"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// timelineRows bounds the projects of a timeline.
const timelineRows = 15

// chartsAnnex puts the charts behind the tables.
func (c *composer) chartsAnnex() {
	var blocks []document.Block
	for _, chart := range []*document.Chart{c.milestoneChart(), c.investmentChart(), c.trendChart(), c.lightChart(), c.timelineChart()} {
		if chart != nil {
			blocks = append(blocks, chart)
		}
	}
	if len(blocks) > 0 {
		c.annex("charts", "图表", false, blocks...)
	}
}

// districts are the rows of the groups of districts.
func (c *composer) districts() []*schemas.RankedRow {
	var rows []*schemas.RankedRow
	for i := range c.model.Groups {
		if g := &c.model.Groups[i]; g.Kind == "district" {
			for j := range g.Rows {
				rows = append(rows, &g.Rows[j])
			}
		}
	}
	return rows
}

func whole(n int) *schemas.Figure { return &schemas.Figure{Units: int64(n)} }

// milestoneChart shows for each district what was done in time, done late, and
// due but not done.
func (c *composer) milestoneChart() *document.Chart {
	rows := c.districts()
	if len(rows) == 0 {
		return nil
	}
	chart := &document.Chart{Key: "milestones", Kind: document.StackedBars, Title: "各县（市）区节点完成情况", Unit: "个"}
	for _, r := range rows {
		chart.Labels = append(chart.Labels, r.Name)
	}
	var said []string
	for _, m := range schemas.Milestones() {
		panel := milestoneName(m.String())
		onTime, late, open := document.Series{Name: "按期完成", Panel: panel}, document.Series{Name: "逾期完成", Panel: panel}, document.Series{Name: "到期未完成", Panel: panel}
		for _, r := range rows {
			t := r.Milestones.Of(m)
			onTime.Values = append(onTime.Values, whole(t.OnTime))
			late.Values = append(late.Values, whole(t.Late))
			open.Values = append(open.Values, whole(t.Judged-t.Done))
		}
		chart.Series = append(chart.Series, onTime, late, open)
		t := c.model.Milestones.Of(m)
		said = append(said, panel+parts("个", part{"按期完成", "", t.OnTime}, part{"逾期完成", "", t.Late}, part{"到期未完成", "", t.Judged - t.Done}).String())
	}
	chart.Alt = c.style.City + "：" + strings.Join(said, "；") + "。"
	return chart
}

// investmentChart holds the rate of each district against time progress.
func (c *composer) investmentChart() *document.Chart {
	chart := &document.Chart{Key: "investment", Kind: document.GroupedBars, Title: "各县（市）区投资完成率与时序进度", Unit: "%",
		Reference: &document.Reference{Name: "时序进度", Value: c.model.Investment.TimeProgress}}
	series := document.Series{Name: "投资完成率（%）"}
	var said []string
	for _, r := range c.districts() {
		if r.Investment.Rate == nil {
			continue
		}
		chart.Labels = append(chart.Labels, r.Name)
		series.Values = append(series.Values, r.Investment.Rate)
		said = append(said, r.Name+percent(r.Investment.Rate))
	}
	if len(said) == 0 {
		return nil
	}
	chart.Series = []document.Series{series}
	chart.Alt = "时序进度" + percent(c.model.Investment.TimeProgress) + "；" + strings.Join(said, "、") + "。"
	return chart
}

// trendChart shows the rates of the year's periods up to this one.
func (c *composer) trendChart() *document.Chart {
	d := c.names.Details
	if d == nil || len(d.Trend) < 2 {
		return nil
	}
	chart := &document.Chart{Key: "trend", Kind: document.Lines, Title: "各期完成率", Unit: "%"}
	rates := []document.Series{{Name: "落地"}, {Name: "开工"}, {Name: "投产"}, {Name: "投资"}, {Name: "时序进度"}}
	for i := range d.Trend {
		p := &d.Trend[i]
		chart.Labels = append(chart.Labels, trendLabel(p.Period))
		for j, v := range []*schemas.Figure{p.Milestones.Landed.RateToDate, p.Milestones.Started.RateToDate, p.Milestones.Producing.RateToDate, p.Investment.Rate, p.Investment.TimeProgress} {
			rates[j].Values = append(rates[j].Values, v)
		}
	}
	chart.Series = rates
	var said []string
	for i := range rates {
		first, last := rates[i].Values[0], rates[i].Values[len(rates[i].Values)-1]
		said = append(said, fmt.Sprintf("%s由%s到%s", rates[i].Name, percent(first), percent(last)))
	}
	chart.Alt = chart.Labels[0] + "至" + chart.Labels[len(chart.Labels)-1] + "：" + strings.Join(said, "、") + "。"
	return chart
}

func trendLabel(p schemas.Period) string {
	month := p.Start.Month().Number()
	switch p.Kind {
	case schemas.Week:
		_, week := p.Start.Time().ISOWeek()
		return fmt.Sprintf("%d周", week)
	case schemas.Quarter:
		return chineseOrdinal((month-1)/3+1) + "季度"
	case schemas.Half:
		if month < 7 {
			return "上半年"
		}
		return "下半年"
	case schemas.Year:
		return fmt.Sprintf("%d年", p.Start.Year())
	}
	return fmt.Sprintf("%d月", month)
}

// lightChart is the matrix of districts and lights.
func (c *composer) lightChart() *document.Chart {
	d := c.names.Details
	if d == nil {
		return nil
	}
	lights := []schemas.Light{schemas.Green, schemas.Yellow, schemas.Red, schemas.Grey, schemas.NoneOn}
	counts := map[string]map[schemas.Light]int{}
	for i := range d.Ledger.Standings {
		s := &d.Ledger.Standings[i]
		if s.Cancelled {
			continue
		}
		if counts[s.District] == nil {
			counts[s.District] = map[schemas.Light]int{}
		}
		counts[s.District][s.Light]++
	}
	chart := &document.Chart{Key: "lights", Kind: document.LightMatrix, Title: "各县（市）区亮灯", Unit: "个"}
	for _, l := range lights {
		chart.Columns = append(chart.Columns, document.LightName(l))
	}
	for _, r := range c.districts() {
		row := document.MatrixRow{Label: r.Name}
		for _, l := range lights {
			cell := document.MatrixCell{}
			if n := counts[r.Key][l]; n > 0 {
				cell = document.MatrixCell{Light: l, Text: fmt.Sprint(n)}
			}
			row.Cells = append(row.Cells, cell)
		}
		chart.Matrix = append(chart.Matrix, row)
	}
	if len(chart.Matrix) == 0 {
		return nil
	}
	chart.Alt = c.style.City + byLight(&c.model.Totals).String() + "。"
	return chart
}

// timelineChart shows plan against fact of the first lagging projects.
func (c *composer) timelineChart() *document.Chart {
	d := c.names.Details
	if d == nil {
		return nil
	}
	chart := &document.Chart{Key: "timeline", Kind: document.Timeline, Title: "排在前面的进展缓慢和无进展项目：计划与实际", Today: c.model.PeriodEnd}
	for i := range c.model.Lagging {
		p := &c.model.Lagging[i]
		s := d.Standing(p.ProjectID)
		if s == nil || !c.visible(p.ProjectID) || len(chart.Timeline) == timelineRows {
			continue
		}
		row := document.TimelineRow{Label: p.Name}
		known := false
		for _, m := range schemas.Milestones() {
			n := &s.Milestones[m]
			row.Points = append(row.Points, document.TimelinePoint{Name: milestoneName(m.String()), Baseline: n.Baseline, Target: n.Target, Forecast: n.Forecast, Reached: n.ReachedOn})
			for _, day := range []schemas.Date{n.Target, n.Forecast, n.ReachedOn} {
				if day != 0 {
					known = true
					chart.From, chart.To = earliest(chart.From, day), max(chart.To, day)
				}
			}
		}
		if known {
			chart.Timeline = append(chart.Timeline, row)
		}
	}
	if len(chart.Timeline) == 0 {
		return nil
	}
	chart.From, chart.To = earliest(chart.From, chart.Today)-20, max(chart.To, chart.Today)+20
	chart.Alt = fmt.Sprintf("%d个项目的落地、开工、投产目标日期与实际日期，明细见进展缓慢和无进展项目表。", len(chart.Timeline))
	return chart
}

func earliest(a, b schemas.Date) schemas.Date {
	if a == 0 || b < a {
		return b
	}
	return a
}
