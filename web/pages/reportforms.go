package pages

import (
	"slices"

	"milepost/schemas"
)

// inputKind is how a field of a form is filled in, and what it becomes.
type inputKind string

const (
	inputLine      inputKind = "line"
	inputText      inputKind = "text" // several lines
	inputDate      inputKind = "date"
	inputMoney     inputKind = "money" // 万元
	inputNumber    inputKind = "number"
	inputTags      inputKind = "tags"
	inputFlag      inputKind = "flag"
	inputWithheld  inputKind = "withheld"
	inputPlans     inputKind = "plans" // 万元 by year
	inputMilestone inputKind = "milestone"
	inputCategory  inputKind = "category"
	inputDistrict  inputKind = "district"
	inputRow       inputKind = "row"      // of the assessment
	inputEvidence  inputKind = "evidence" // files, or an address, with a note
)

// subjectKind is how a form names what its event is about.
type subjectKind int

const (
	ofProject subjectKind = iota // one of the office's
	ofNew                        // a project that is registered
	ofIssue                      // an open issue of one of the office's projects
	ofNone                       // no project
)

// formField is a field of a form. Its name is the path of the member below the
// event's data.
type formField struct {
	Name, Label, Hint string
	Kind              inputKind
	Required          bool
	// City fields are the city office's: from others they do not count.
	City bool
	// Today says that today is the usual answer.
	Today bool
	// List names the words that are offered: departments, leads or rows.
	List string
}

// eventForm is the form of a type of event.
type eventForm struct {
	Key, Group, Name, Intro string
	Type                    schemas.Type
	Subject                 subjectKind
	Fields                  []formField
}

func line(name, label, hint string) formField {
	return formField{Name: name, Label: label, Hint: hint, Kind: inputLine}
}

func text(name, label, hint string) formField {
	return formField{Name: name, Label: label, Hint: hint, Kind: inputText}
}

func dateOf(name, label, hint string) formField {
	return formField{Name: name, Label: label, Hint: hint, Kind: inputDate}
}

func (f formField) must() formField { f.Required = true; return f }

func (f formField) today() formField { f.Today = true; return f }

func (f formField) from(list string) formField { f.List = list; return f }

// eventForms lists the forms beside that of the month's progress, in the order
// of their menu. A test holds their fields against the schemas.
func eventForms() []eventForm {
	document := line("document", "文号", "批准或决定文件的文号，如 会议纪要〔2025〕8号")
	effective := dateOf("effective_on", "生效日期", "从这一天起算").must().today()
	projectName := line("name", "项目名称", "一行，最多 300 字")
	total := formField{Name: "total_investment", Label: "总投资（万元）", Hint: "最多两位小数", Kind: inputMoney}
	plans := formField{Name: "annual_plan", Label: "年度计划（万元）", Hint: "只填要报的年份；已开始年度的计划只有市级可以调低", Kind: inputPlans}
	common := []formField{line("enterprise", "企业（投资主体）", ""), line("industry", "行业", ""), {Name: "tags", Label: "标签", Hint: "用顿号隔开，如 省重点、市重点", Kind: inputTags}}
	milestone := formField{Name: "milestone", Label: "节点", Kind: inputMilestone, Required: true}
	return []eventForm{
		{Key: "milestone", Group: "节点", Name: "节点完成", Type: schemas.MilestoneReached, Intro: "项目落地、开工或投产以后填报，附上佐证材料。", Fields: []formField{
			milestone, dateOf("reached_on", "完成日期", "不晚于今天").must(),
			{Name: "evidence", Label: "佐证材料", Kind: inputEvidence},
		}},
		{Key: "plan", Group: "节点", Name: "节点计划", Type: schemas.MilestonePlanned, Intro: "节点时间有变化时填报。市级批准以前是预计，批准以后才是目标。", Fields: []formField{
			milestone, dateOf("planned_on", "计划完成日期", "").must(), dateOf("decided_on", "决定日期", "哪一天决定的").must().today(),
			{Name: "approved", Label: "市级已批准，作为新的目标", Kind: inputFlag, City: true}, document, text("reason", "调整原因", ""),
		}},
		{Key: "issue", Group: "问题", Name: "提出问题", Type: schemas.IssueRaised, Intro: "需要市直部门限时解决的问题。同一项目下编号相同的，以最近一次提出为准。", Fields: []formField{
			line("title", "问题", "一句话说清要解决什么").must(), line("issue_id", "问题编号", "本项目内不重复，如 Q-3").must(), {Name: "category", Label: "类别", Kind: inputCategory, Required: true},
			line("department", "责任部门", "由哪个市直部门解决").must().from("departments"), dateOf("raised_on", "提出日期", "").must().today(), dateOf("due_on", "解决期限", "过了期限仍未销号即为逾期").must(),
		}},
		{Key: "resolve", Group: "问题", Name: "问题销号", Type: schemas.IssueResolved, Subject: ofIssue, Intro: "问题解决以后销号。", Fields: []formField{
			dateOf("resolved_on", "销号日期", "").must().today(), text("resolution", "解决情况", ""),
		}},
		{Key: "register", Group: "项目", Name: "项目入库", Type: schemas.ProjectRegistered, Subject: ofNew, Intro: "新项目进入台账。节点计划以后还可以调整，第一次填报的是基准。", Fields: slices.Concat(
			[]formField{projectName.must()}, common, []formField{
				total.must(), dateOf("registered_on", "入库日期", "").must().today(),
				{Name: "district", Label: "所属县(市)区", Kind: inputDistrict, Required: true, City: true},
				dateOf("targets.landed", "落地计划", ""), dateOf("targets.started", "开工计划", ""), dateOf("targets.producing", "投产计划", ""), plans,
			})},
		{Key: "amend", Group: "项目", Name: "信息变更", Type: schemas.ProjectAmended, Intro: "只填要改的栏目，没填的保持不变。", Fields: slices.Concat(
			[]formField{effective, projectName}, common, []formField{
				total, {Name: "district", Label: "调整到县(市)区", Kind: inputDistrict, City: true},
				{Name: "withheld", Label: "是否公开", Kind: inputWithheld}, plans,
			})},
		{Key: "assign", Group: "项目", Name: "明确分包", Type: schemas.ProjectAssigned, Intro: "一个项目一名市级领导、一个市直部门，从生效日期起负责。", Fields: []formField{
			line("lead", "市级领导", "").must().from("leads"), line("department", "市直部门", "").must().from("departments"), effective,
		}},
		{Key: "suspend", Group: "市级", Name: "停缓建", Type: schemas.ProjectSuspended, Intro: "停缓建期间亮灰灯，不计未到期的节点。", Fields: []formField{effective, text("reason", "原因", "").must(), document}},
		{Key: "resume", Group: "市级", Name: "恢复建设", Type: schemas.ProjectResumed, Intro: "停缓建的项目恢复建设。", Fields: []formField{effective, text("reason", "原因", ""), document}},
		{Key: "cancel", Group: "市级", Name: "取消项目", Type: schemas.ProjectCancelled, Intro: "取消以后不再计入统计，台账中仍可查到。", Fields: []formField{effective, text("reason", "原因", "").must(), document}},
		{Key: "adjust", Group: "市级", Name: "考核加减分", Type: schemas.AdjustmentRecorded, Subject: ofNone, Intro: "计入所填年度的年终考核。", Fields: []formField{
			{Name: "year", Label: "考核年度", Hint: "如 2025", Kind: inputNumber, Required: true}, {Name: "target.kind", Label: "对象类别", Kind: inputRow, Required: true},
			line("target.key", "对象", "县(市)区填代码，部门和领导填名称").must().from("rows"), {Name: "points", Label: "分值", Hint: "从 −20 到 5，最多两位小数", Kind: inputNumber, Required: true},
			{Name: "veto", Label: "一票否决", Kind: inputFlag}, text("reason", "事由", "").must(), line("document", "文号", "依据文件的文号").must(), dateOf("decided_on", "决定日期", "").must().today(),
		}},
	}
}

// formOf finds a form by its key.
func formOf(key string) (eventForm, bool) {
	return findForm(func(f eventForm) bool { return f.Key == key })
}

// formOfType finds the form of a type; progress has one for corrections, too.
func formOfType(t schemas.Type) (eventForm, bool) {
	if t == schemas.ProgressReported {
		return eventForm{Key: "progress", Name: "进度填报", Type: t, Fields: []formField{
			line("month", "月份", "如 2025-10").must(), {Name: "invested_ytd", Label: "累计完成投资（万元）", Hint: "从本年 1 月到这个月", Kind: inputMoney, Required: true}, text("note", "形象进度", ""),
		}}, true
	}
	f, found := findForm(func(f eventForm) bool { return f.Type == t })
	if f.Type == schemas.IssueResolved {
		f.Fields = append([]formField{line("issue_id", "问题编号", "").must()}, f.Fields...)
	}
	return f, found
}

func findForm(is func(eventForm) bool) (eventForm, bool) {
	forms := eventForms()
	if i := slices.IndexFunc(forms, is); i >= 0 {
		return forms[i], true
	}
	return eventForm{}, false
}

// sentBy tells whether an office sends the form: the city office all, a
// department issues, another office what is not the city's.
func (f *eventForm) sentBy(city, department bool) bool {
	if department {
		return f.Type == schemas.IssueRaised || f.Type == schemas.IssueResolved
	}
	return city || !f.Type.CityOnly()
}

// of gives the fields that the sender fills in.
func (f *eventForm) of(city bool) []formField {
	if city {
		return f.Fields
	}
	return slices.DeleteFunc(slices.Clone(f.Fields), func(one formField) bool { return one.City })
}
