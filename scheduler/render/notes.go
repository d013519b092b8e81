package render

import "fmt"

// notes explains the figures with the limits of the rules in force.
func (c *composer) notes() {
	s, r := c.doc.section("口径说明"), c.names.Rules
	w := r.Weights
	s.list(
		"文中投资满1亿元的以亿元表示，表中以万元表示；“-”表示没有数据，不等于零。表中“落地”“开工”“投产”为今年已完成数/至期末应完成数，“按时报送”为按时报送月数/应报送月数。",
		"至期末应完成：目标日期不晚于期末、且不是以前年度已经完成的节点；今年已完成包括提前完成的，因此完成率可以超过100%。停缓建之后到期的节点不计。",
		"时序进度为报告月月数除以12；投资完成率为完成投资除以年度计划，没有报送的按零计入。停缓建项目和未下达年度计划的项目不计。",
		fmt.Sprintf("亮灯：节点逾期%d个月以上的亮黄灯、%d个月以上的亮红灯（每过一个月末算一个月）；投资落后自身时序进度超过%d个百分点的亮黄灯、超过%d个百分点的亮红灯；停缓建的亮灰灯。", r.YellowMonths, r.RedMonths, r.YellowLag, r.RedLag),
		fmt.Sprintf("无进展：连续%d个月没有新增投资，也没有达到新的节点。进展缓慢：亮黄灯或红灯；没有逾期节点的，因投资进度落后列入。", r.StalledMonths),
		fmt.Sprintf("应报未报：次月%d日前应报送而没有报送的投资进度。", r.ReportDay),
		fmt.Sprintf("得分：落地%d分、开工%d分、投产%d分（按期计1、逾期计½）、台账%d分、投资%d分，不适用的项目不计，按适用部分折算成百分。县（市）区、市直部门、市级领导各自排名，组与组之间不比较。",
			w.Milestones[0], w.Milestones[1], w.Milestones[2], w.Ledger, w.Investment),
		"节点算在达到之日的分包领导和部门名下；项目、投资和台账算在期末的分包领导和部门名下。",
	)
}
