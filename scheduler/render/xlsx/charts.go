package xlsx

import (
	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

// The columns of the sheet of charts.
const (
	chartName = iota + 1
	chartGroup
	chartProjects
	chartLanded
	chartStarted
	chartProducing
	chartRate
	chartTime
	chartRed
	chartYellow
	chartGreen
	chartGrey
)

// charts is the sheet of the districts' figures with charts over them; nil
// without districts. The lights come from the ledger.
func (b *bulletin) charts(withLedger bool) *sheet {
	type districtRow struct {
		group string
		row   *schemas.RankedRow
	}
	var list []districtRow
	for i := range b.model.Groups {
		g := &b.model.Groups[i]
		for r := range g.Rows {
			if g.Kind == "district" {
				list = append(list, districtRow{groupName(g.Kind, g.Group, b.names.Rules), &g.Rows[r]})
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	columns := []column{{name: "县（市）区", kind: words, least: 18}, {name: "组", kind: words, least: 10}, {name: "项目数", kind: count}, {name: "落地完成率", kind: percent},
		{name: "开工完成率", kind: percent}, {name: "投产完成率", kind: percent}, {name: "投资完成率", kind: percent}, {name: "时序进度", kind: percent}}
	lights := map[string]map[schemas.Light]int{}
	if withLedger {
		columns = append(columns, column{name: "红灯", kind: count}, column{name: "黄灯", kind: count}, column{name: "绿灯", kind: count}, column{name: "灰灯", kind: count})
		for _, p := range b.projects {
			if lights[p.District] == nil {
				lights[p.District] = map[schemas.Light]int{}
			}
			lights[p.District][p.Light]++
		}
	}
	size, rows := rowsOf(list, func(_ int, d *districtRow) []any {
		r, m := d.row, &d.row.Milestones
		// A rate that nobody knows is a gap in the chart.
		row := []any{r.Name, d.group, r.Projects, orGap(m.Landed.RateToDate), orGap(m.Started.RateToDate), orGap(m.Producing.RateToDate), orGap(r.Investment.Rate), orGap(r.Investment.TimeProgress)}
		if withLedger {
			of := lights[r.Key]
			row = append(row, of[schemas.Red], of[schemas.Yellow], of[schemas.Green], of[schemas.Grey])
		}
		return row
	})
	return &sheet{name: "图表", poster: true, frozen: 1, notes: []string{"节点完成率为今年已完成除以至期末应完成，可以超过100%。"},
		blocks: []block{{table: table{columns: columns, size: size, rows: rows}}},
		charts: func(at []place) []chart { return districtCharts(at[0], withLedger) }}
}

func orGap(f *schemas.Figure) any {
	if f == nil {
		return nil
	}
	return f
}

// districtCharts draw in tones that also differ in grey print.
func districtCharts(p place, withLedger bool) []chart {
	const dark, middle, pale = "1F4E79", "2E9BD6", "BDD7EE"
	rates := excelize.Chart{Type: excelize.Col, Series: []excelize.ChartSeries{series(p, chartLanded, dark), series(p, chartStarted, middle), series(p, chartProducing, pale)}}
	frame(&rates, "各县（市）区节点完成率", "落地、开工、投产各为今年已完成数除以至期末应完成数", "0%")
	investment := excelize.Chart{Type: excelize.Col, Series: []excelize.ChartSeries{series(p, chartRate, middle)}}
	frame(&investment, "各县（市）区投资完成率与时序进度", "柱为完成投资除以年度计划，线为时序进度", "0%")
	line := series(p, chartTime, "")
	line.Line = excelize.LineOptions{Width: 2.25, Dash: excelize.LineDashDash, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"C00000"}}}
	line.Marker = excelize.ChartMarker{Symbol: "none"}
	progress := excelize.Chart{Type: excelize.Line, Series: []excelize.ChartSeries{line}}
	frame(&progress, "", "", "0%")
	list := []chart{{main: &rates}, {main: &investment, combo: []*excelize.Chart{&progress}}}
	if withLedger {
		lights := excelize.Chart{Type: excelize.ColStacked, Series: []excelize.ChartSeries{series(p, chartRed, "C00000"), series(p, chartYellow, "FFC000"),
			series(p, chartGreen, "A9D18E"), series(p, chartGrey, "D9D9D9")}}
		lights.PlotArea.ShowVal = true
		lights.Series[0].DataLabel.Font.Color = "FFFFFF" // on the dark red
		frame(&lights, "各县（市）区项目亮灯", "各县（市）区红、黄、绿、灰灯的项目数", "0")
		// Zeros are not printed.
		lights.PlotArea.NumFmt = excelize.ChartNumFmt{CustomNumFmt: "0;;"}
		list = append(list, chart{main: &lights})
	}
	return list
}

func series(p place, column int, colour string) excelize.ChartSeries {
	s := excelize.ChartSeries{Name: p.head(column), Categories: p.cells(chartName), Values: p.cells(column)}
	if colour != "" {
		s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}
		s.Line = excelize.LineOptions{Width: 0.5, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"404040"}}}
	}
	return s
}

// frame sets what all charts have in common; alt says the chart in words.
func frame(c *excelize.Chart, title, alt, numbers string) {
	c.Title = excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: title, Font: &excelize.Font{Family: headingFont, Size: 12, Color: "000000"}}}}
	c.Format = excelize.GraphicOptions{AltText: title + "：" + alt, Name: title}
	c.Dimension = excelize.ChartDimension{Width: 920, Height: 300}
	c.Legend = excelize.ChartLegend{Position: "bottom"}
	c.ShowBlanksAs = "gap"
	c.XAxis.Font = excelize.Font{Size: 9, Family: textFont, Color: "000000"}
	c.YAxis = excelize.ChartAxis{MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: numbers}, Font: excelize.Font{Size: 9, Family: textFont, Color: "000000"}}
}
