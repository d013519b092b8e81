package render

import (
	"fmt"

	"milepost/scheduler/render/document"
)

// notes explains the figures with the limits of the rules in force.
func (c *composer) notes() {
	if c.doc.Edition == document.Media {
		c.mediaNotes()
		return
	}
	c.annex("notes", "口径说明", false, &document.List{Numbered: true, Note: true, Items: c.officialNotes()})
}

// officialNotes are the explanations, a paragraph each.
func (c *composer) officialNotes() []document.Text {
	r, t := c.names.Rules, &c.model.Totals
	w := r.Weights
	scope := "统计范围为期末台账内的全部重大项目，已取消的不计。"
	if t.Cancelled > 0 {
		scope += "已取消的项目从取消之日起退出分母，因此前后期的项目数可能不同。"
	}
	notes := []document.Text{
		document.Words(fmt.Sprintf("数据截至%s；投资为%s底的累计数；数据版本%d。%s", chineseDate(c.model.PeriodEnd), chineseMonth(c.model.ReportingMonth), c.model.KnownSeq, scope)),
		document.Words("文中投资满1亿元的以亿元表示，表中以万元表示；“-”表示没有数据，不等于零。“今年已完成”“已完成/应完成”均指今年至期末，“按时报送”为按时报送月数/应报送月数。百分数保留一位小数，金额和得分保留两位小数，各数只在最后四舍五入一次。"),
		document.Words("至期末应完成：目标日期不晚于期末、且不是以前年度已经完成的节点；今年已完成包括提前完成的，因此完成率可以超过100%。停缓建之后到期的节点不计。"),
		document.Words("时序进度为报告月月数除以12；投资完成率为完成投资除以年度计划，没有报送的按零计入。停缓建项目和未下达年度计划的项目不计。"),
		document.Words(fmt.Sprintf("亮灯：节点逾期%d个月以上的亮黄灯、%d个月以上的亮红灯（每过一个月末算一个月）；投资落后自身时序进度超过%d个百分点的亮黄灯、超过%d个百分点的亮红灯；停缓建的亮灰灯。", r.YellowMonths, r.RedMonths, r.YellowLag, r.RedLag)),
		document.Words(fmt.Sprintf("无进展：连续%d个月没有新增投资，也没有达到新的节点。进展缓慢：亮黄灯或红灯；没有逾期节点的，因投资进度落后列入。", r.StalledMonths)),
	}
	if !c.weekly() {
		notes = append(notes, document.Words(fmt.Sprintf("应报未报：次月%d日前应报送而没有报送的投资进度。", r.ReportDay)))
	}
	return append(notes,
		document.Words(fmt.Sprintf("得分：落地%d分、开工%d分、投产%d分（按期计1、逾期计½）、台账%d分、投资%d分，不适用的项目不计，按适用部分折算成百分。县（市）区、市直部门、市级领导各自排名，组与组之间不比较。",
			w.Milestones[0], w.Milestones[1], w.Milestones[2], w.Ledger, w.Investment)),
		document.Words("节点算在达到之日的分包领导和部门名下；项目、投资和台账算在期末的分包领导和部门名下。基准为首次计划，目标为最近一次批准的计划，预计完成为最近一次计划（批准与否）。"),
	)
}

// mediaNotes says in two sentences what readers need to judge the figures.
func (c *composer) mediaNotes() {
	r := c.names.Rules
	c.add(&document.Paragraph{Note: true, Text: document.Words(fmt.Sprintf("数据截至%s，投资为%s底的累计数。排名按落地、开工、投产、台账和投资五项综合计分，县（市）和城区分组排名。节点逾期%d个月以上的亮黄灯、%d个月以上的亮红灯；投资落后自身时序进度超过%d个百分点的亮黄灯、超过%d个百分点的亮红灯。完成率包括提前完成的节点，可以超过100%%。",
		chineseDate(c.model.PeriodEnd), chineseMonth(c.model.ReportingMonth), r.YellowMonths, r.RedMonths, r.YellowLag, r.RedLag))})
}
