package xlsx

import (
	"fmt"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// unknown stands where a figure or a word is not known; it is never 0.
const unknown = "-"

func milestoneName(word string) string {
	switch word {
	case "landed":
		return "落地"
	case "started":
		return "开工"
	case "producing":
		return "投产"
	case "ledger":
		return "台账"
	case "investment":
		return "投资"
	}
	return word
}

func statusName(s schemas.Status) string {
	switch s {
	case schemas.StatusCompleted:
		return "已完成"
	case schemas.StatusSmooth:
		return "进展顺利"
	case schemas.StatusSlow:
		return "进展缓慢"
	case schemas.StatusStalled:
		return "无进展"
	case schemas.StatusSuspended:
		return "停缓建"
	}
	return string(s)
}

func stageName(s schemas.Stage) string {
	switch s {
	case schemas.StageRegistered:
		return "未落地"
	case schemas.StageLanded:
		return "已落地未开工"
	case schemas.StageStarted:
		return "已开工未投产"
	case schemas.StageProducing:
		return "已投产"
	}
	return string(s)
}

// groupName names a group of rows by its kind and, for districts, its code.
func groupName(kind string, group *string, rules *schemas.Rules) string {
	switch {
	case kind == "department":
		return "责任单位"
	case kind == "lead":
		return "包联领导"
	case group == nil:
		return "其他"
	}
	for _, known := range rules.Groups {
		if known.Code == *group {
			return known.Name
		}
	}
	return *group
}

// rowWord says what the rows of a kind are.
func rowWord(kind string) string {
	switch kind {
	case "department":
		return "责任单位"
	case "lead":
		return "包联领导"
	}
	return "县（市）区"
}

func hintName(h schemas.Hint) string {
	switch h {
	case schemas.HintReward:
		return "建议奖励"
	case schemas.HintExplain:
		return "建议作出说明"
	case schemas.HintAccountability:
		return "建议问责"
	}
	return string(h)
}

func yesNo(yes bool) string {
	if yes {
		return "是"
	}
	return "否"
}

func chineseDate(d schemas.Date) string {
	year, month, day := d.Time().Date()
	return fmt.Sprintf("%d年%d月%d日", year, int(month), day)
}

func optional(s *string) string {
	if s == nil {
		return unknown
	}
	return *s
}

func lightName(l schemas.Light) string { return document.LightName(l) }
