package render

import (
	"encoding/json"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// memberNames are the words for the members of the model that a restatement's
// path goes through.
func memberNames() map[string]string {
	return map[string]string{
		"totals": "总体", "projects": "项目数", "total_investment": "总投资", "by_status": "进展情况", "by_light": "亮灯", "by_stage": "阶段", "cancelled": "取消",
		"completed": "已完成", "smooth": "进展顺利", "slow": "进展缓慢", "stalled": "无进展", "suspended": "停缓建",
		"green": "绿灯", "yellow": "黄灯", "red": "红灯", "grey": "灰灯", "none": "未亮灯", "registered": "未落地",
		"milestones": "节点", "landed": "落地", "started": "开工", "producing": "投产", "due_year": "全年应完成", "due_to_date": "至期末应完成", "done": "今年已完成",
		"on_time": "按期", "late": "逾期", "judged": "应考核", "new_in_period": "本期新增", "rate_to_date": "至期末完成率（%）", "rate_year": "全年完成率（%）",
		"investment": "投资", "plan": "计划（万元）", "invested": "完成（万元）", "rate": "完成率（%）", "time_progress": "时序进度（%）", "vs_time": "与时序进度差（百分点）",
		"groups": "排名", "district": "县（市）区", "department": "市直部门", "lead": "市级领导", "completeness": "“七个一”落实率（%）", "reports_due": "应报送",
		"reports_on_time": "按时报送", "score": "得分", "rank": "名次", "rank_change": "名次变化", "name": "名称", "status": "进展", "light": "亮灯",
		"milestone": "逾期节点", "target": "目标日期", "forecast": "预计完成", "overdue_months": "逾期月数", "late_days": "逾期天数", "open_issues": "未销号问题",
		"consecutive_stalled_months": "连续无进展月数", "lagging": "进展缓慢和无进展项目", "reached": "本期节点", "reached_on": "达到日期", "upcoming": "下期节点",
		"unreported": "应报未报", "issues": "问题", "raised": "新提出", "resolved": "销号", "open": "未销号", "overdue": "超期", "method": "“七个一”", "items": "内容",
		"satisfied": "已落实", "applicable": "应落实", "effective_on": "生效日期", "reason": "原因", "data_quality": "数据质量", "orphans": "项目未登记",
		"conflicts": "重复报送且内容不一", "foreign": "无权报送", "dead_letters": "退件", "out_of_order": "节点次序颠倒", "no_plan": "年度计划未下达", "reporting_month": "报告月",
	}
}

// restatedPath says groups/district/county/xiuwu/score as 排名·县（市）区·修武县·得分.
func (c *composer) restatedPath(path string) string {
	names, unescape := memberNames(), strings.NewReplacer("~1", "/", "~0", "~")
	segments := strings.Split(path, "/")
	said := make([]string, 0, len(segments))
	for i, segment := range segments {
		key := unescape.Replace(segment)
		switch {
		case isGroupCode(segments, i, c.names.Rules):
			continue // the row's name says it
		case segments[0] == "groups" && key == "unassigned":
			said = append(said, "未分包")
		case segments[0] == "groups" && segments[min(1, i)] == "district" && i >= 2 && c.names.Rules.DistrictName(key) != key:
			said = append(said, c.names.Rules.DistrictName(key))
		case segments[0] == "method" && i == 2:
			said = append(said, c.methodName(key))
		case c.projects[key] != "":
			said = append(said, c.projects[key])
		case names[key] != "":
			said = append(said, names[key])
		default:
			said = append(said, key)
		}
	}
	return strings.Join(said, "·")
}

func isGroupCode(segments []string, i int, rules *schemas.Rules) bool {
	if i != 2 || segments[0] != "groups" || segments[1] != "district" || len(segments) < 4 {
		return false
	}
	for _, g := range rules.Groups {
		if g.Code == segments[2] {
			return true
		}
	}
	return false
}

func (c *composer) methodName(key string) string {
	for _, item := range c.names.Rules.Method {
		if string(item.Key) == key {
			return item.Name
		}
	}
	return key
}

// restatedValue says a value of the model: words for codes, 列入 for a whole row
// or project, and "-" for null.
func (c *composer) restatedValue(value json.RawMessage) string {
	var word string
	switch {
	case len(value) == 0 || string(value) == "null":
		return unknown
	case value[0] == '{':
		return "列入"
	case json.Unmarshal(value, &word) != nil:
		return string(value)
	}
	if light := document.LightName(schemas.Light(word)); light != word {
		return light
	}
	if status := statusName(schemas.Status(word)); status != word {
		return status
	}
	if milestone := milestoneName(word); milestone != word {
		return milestone
	}
	if c.projects[word] != "" {
		return "列入"
	}
	return c.names.Rules.DistrictName(word)
}
