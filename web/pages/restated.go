package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"milepost/schemas"
)

// Bounds of what the page of an edition shows and keeps.
const (
	maxRestatements = 100
	keptRestated    = 32
)

// restatedKey is what the restatements of a draft or an edition depend on.
type restatedKey struct {
	id    string
	known uint64
	rules string
}

// restatement (数据修订) is a difference to what was published, in words.
type restatement struct{ Where, Published, Now string }

// readRestated reads the restatements of an edition from its model.
func (p *Pages) readRestated(ctx context.Context, key restatedKey) ([]restatement, error) {
	var text bytes.Buffer
	if err := p.Desk.Printed(ctx, &text, key.id, "official", "json"); err != nil {
		return nil, err
	}
	var model schemas.Bulletin
	if err := json.Unmarshal(text.Bytes(), &model); err != nil {
		return nil, fmt.Errorf("the model of %s: %w", key.id, err)
	}
	names := map[string]string{}
	for _, one := range model.Lagging {
		names[one.ProjectID] = one.Name
	}
	for _, one := range model.Reached {
		names[one.ProjectID] = one.Name
	}
	for _, one := range model.Upcoming {
		names[one.ProjectID] = one.Name
	}
	rules := p.Rules.On(model.PeriodEnd)
	list := make([]restatement, 0, len(model.Restatements))
	for _, one := range model.Restatements {
		list = append(list, restatement{restatedPlace(one.Path, names, rules), restatedValue(one.Published), restatedValue(one.Now)})
	}
	return list, nil
}

// restatedPlace says groups/district/county/xiuwu/score as 排名 › 县(市)区 › 修武县 › 得分.
func restatedPlace(path string, names map[string]string, rules *schemas.Rules) string {
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	var said []string
	for i, step := range strings.Split(path, "/") {
		key := unescape.Replace(step)
		switch {
		case restatedWords[key] != "":
			key = restatedWords[key]
		case names[key] != "":
			key = names[key]
		case i > 0:
			key = rules.DistrictName(key)
			for _, g := range rules.Groups {
				if g.Code == key {
					key = g.Name
				}
			}
			for _, item := range rules.Method {
				if string(item.Key) == key {
					key = item.Name
				}
			}
		}
		said = append(said, key)
	}
	return strings.Join(said, " › ")
}

func restatedValue(value json.RawMessage) string {
	var word string
	switch {
	case len(value) == 0 || string(value) == "null":
		return unknown
	case value[0] == '{':
		return "列入"
	case json.Unmarshal(value, &word) != nil:
		return string(value)
	}
	for _, names := range []string{statusNames[schemas.Status(word)], lightNames[schemas.Light(word)], milestoneWord(word)} {
		if names != "" && names != word {
			return names
		}
	}
	return word
}

// restatedWords name the members of a bulletin's model.
var restatedWords = map[string]string{
	"totals": "总体", "projects": "项目数", "total_investment": "总投资", "by_status": "进展", "by_light": "亮灯", "by_stage": "阶段", "cancelled": "取消",
	"completed": "已完成", "smooth": "进展顺利", "slow": "进展缓慢", "stalled": "无进展", "suspended": "停缓建", "green": "绿灯", "yellow": "黄灯", "red": "红灯",
	"grey": "灰灯", "none": "未亮灯", "registered": "已入库", "milestones": "节点", "landed": "落地", "started": "开工", "producing": "投产",
	"due_year": "全年应完成", "due_to_date": "到期应完成", "done": "本年已完成", "on_time": "按期", "late": "逾期完成", "judged": "应考核", "new_in_period": "本期新增",
	"rate_to_date": "到期完成率", "rate_year": "全年完成率", "investment": "投资", "plan": "计划", "invested": "完成", "rate": "完成率", "time_progress": "时序进度",
	"vs_time": "与时序之差", "groups": "排名", "district": "县(市)区", "department": "市直部门", "lead": "市级领导", "unassigned": "未分包", "completeness": "七个一落实率",
	"reports_due": "应报", "reports_on_time": "按时报", "score": "得分", "rank": "名次", "rank_change": "名次变化", "name": "名称", "status": "进展", "light": "灯",
	"milestone": "节点", "target": "目标", "forecast": "预计", "overdue_months": "逾期月数", "late_days": "逾期天数", "open_issues": "未销号问题",
	"consecutive_stalled_months": "连续无进展月数", "lagging": "滞后项目", "reached": "本期完成节点", "reached_on": "完成日期", "upcoming": "下期到期节点",
	"unreported": "应报未报", "issues": "问题", "raised": "提出", "resolved": "销号", "open": "未销号", "overdue": "逾期", "method": "七个一", "items": "各项",
	"satisfied": "已落实", "applicable": "应落实", "effective_on": "生效日期", "reason": "原因", "data_quality": "数据质量", "orphans": "未入库项目的事件",
	"conflicts": "冲突", "foreign": "越权报送", "dead_letters": "退件", "out_of_order": "节点次序颠倒", "no_plan": "没有年度计划", "reporting_month": "报告月",
}
