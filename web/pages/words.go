package pages

import (
	"fmt"
	"strings"
	"time"

	"milepost/schemas"
)

// unknown is shown where something is not known.
const unknown = "—"

var statusNames = map[schemas.Status]string{
	schemas.StatusCompleted: "已完成", schemas.StatusSmooth: "进展顺利", schemas.StatusSlow: "进展缓慢", schemas.StatusStalled: "无进展", schemas.StatusSuspended: "停缓建",
}

var lightNames = map[schemas.Light]string{schemas.Green: "绿", schemas.Yellow: "黄", schemas.Red: "红", schemas.Grey: "灰", schemas.NoneOn: "无"}

var stageNames = map[schemas.Stage]string{
	schemas.StageRegistered: "已入库", schemas.StageLanded: "已落地", schemas.StageStarted: "已开工", schemas.StageProducing: "已投产",
}

var categoryNames = map[string]string{
	"land": "用地", "finance": "资金", "approval": "审批", "environment": "环保", "utilities": "水电气路", "labour": "用工", "other": "其他",
}

var kindNames = map[string]string{"week": "周通报", "month": "月通报", "quarter": "季通报", "half": "半年通报", "year": "年通报", "assessment": "年终考核"}

var typeNames = map[schemas.Type]string{
	schemas.ProjectRegistered: "项目入库", schemas.ProjectAmended: "信息变更", schemas.ProjectAssigned: "明确分包", schemas.MilestonePlanned: "节点计划",
	schemas.MilestoneReached: "节点完成", schemas.ProgressReported: "进度填报", schemas.IssueRaised: "提出问题", schemas.IssueResolved: "问题销号",
	schemas.ProjectSuspended: "停缓建", schemas.ProjectResumed: "恢复建设", schemas.ProjectCancelled: "取消项目", schemas.EventRevoked: "撤销记录",
	schemas.AdjustmentRecorded: "考核加减分",
}

var roleNames = map[schemas.Role]string{
	schemas.RoleOffice: "县(市)区", schemas.RoleDepartment: "市直部门", schemas.RoleAnalyst: "分析", schemas.RoleEditor: "编审", schemas.RoleAdmin: "管理",
}

func statuses() []schemas.Status {
	return []schemas.Status{schemas.StatusCompleted, schemas.StatusSmooth, schemas.StatusSlow, schemas.StatusStalled, schemas.StatusSuspended}
}

func lights() []schemas.Light {
	return []schemas.Light{schemas.Green, schemas.Yellow, schemas.Red, schemas.Grey, schemas.NoneOn}
}

func stages() []schemas.Stage {
	return []schemas.Stage{schemas.StageRegistered, schemas.StageLanded, schemas.StageStarted, schemas.StageProducing}
}

func milestoneName(m schemas.Milestone) string {
	return [...]string{schemas.Landed: "落地", schemas.Started: "开工", schemas.Producing: "投产"}[m]
}

func milestoneWord(word string) string {
	if m, ok := schemas.ParseMilestone(word); ok {
		return milestoneName(m)
	}
	return word
}

// date shows a day, or that it is not known.
func date(d schemas.Date) string {
	if d == 0 {
		return unknown
	}
	return d.String()
}

func orUnknown(s string) string {
	if s == "" {
		return unknown
	}
	return s
}

// wan shows 万元 with thousands apart.
func wan(m schemas.Money) string {
	return apart(m.String())
}

// yi shows 万元, and from 10,000 万元 on 亿元 with two decimals.
func yi(m schemas.Money) string {
	const wanInYi = 10_000 * 100 // hundredths of 万元
	if m >= wanInYi {
		return schemas.Quotient(int64(m), wanInYi, 1, 2).String() + " 亿元"
	}
	return wan(m) + " 万元"
}

func percent(f *schemas.Figure) string {
	if f == nil {
		return unknown
	}
	return f.String() + "%"
}

func figure(f *schemas.Figure) string {
	if f == nil {
		return unknown
	}
	return f.String()
}

func signed(f *schemas.Figure) string {
	if f == nil {
		return unknown
	}
	if f.Units > 0 {
		return "+" + f.String()
	}
	return f.String()
}

// lateness says days from the target.
func lateness(days *int) string {
	switch {
	case days == nil:
		return unknown
	case *days > 0:
		return fmt.Sprintf("晚 %d 天", *days)
	case *days < 0:
		return fmt.Sprintf("提前 %d 天", -*days)
	}
	return "按期"
}

// movement says how a rank changed: up is better.
func movement(change *int) string {
	switch {
	case change == nil:
		return unknown
	case *change > 0:
		return fmt.Sprintf("▲ %d", *change)
	case *change < 0:
		return fmt.Sprintf("▼ %d", -*change)
	}
	return "持平"
}

func moment(t time.Time) string { return t.In(schemas.Location).Format("2006-01-02 15:04") }

func month(m schemas.Month) string { return fmt.Sprintf("%d年%d月", m.Year(), m.Number()) }

// actorName says who sent an event in words.
func actorName(actor string) string {
	role, id, found := strings.Cut(actor, ":")
	if name := roleNames[schemas.Role(role)]; found && name != "" {
		return name + " " + id
	}
	if address, ok := strings.CutPrefix(actor, "http:"); ok {
		return "未登记用户（" + address + "）"
	}
	return orUnknown(actor)
}
