package render

import (
	"fmt"
	"strings"

	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// bulletinSources answers where the figures of a bulletin come from, over the
// views that analysts query.
type bulletinSources struct {
	period schemas.Period
	known  uint64
	end    schemas.Date
}

// Source gives the source of the value at the path.
func (b bulletinSources) Source(path string) (document.Source, bool) {
	if path == "" {
		return document.Source{}, false
	}
	segments := strings.Split(path, "/")
	s := document.Source{
		Definition: definition(segments),
		Select:     fmt.Sprintf("SELECT path, value FROM figures(period = %s, known = %d) WHERE path = %s", quoted(b.period.String()), b.known, quoted(path)),
		Events:     b.events(segments),
	}
	return s, s.Definition != ""
}

// quoted writes an SQL text.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// events gives the statement for the events behind a value: those of its
// project, or those of the sort that its number counts, known and dated by the
// cut.
func (b bulletinSources) events(segments []string) string {
	if table := map[string]string{"data_quality/conflicts": "conflicts", "data_quality/foreign": "ignored_events", "data_quality/dead_letters": "dead_letters"}[strings.Join(segments, "/")]; table != "" {
		return fmt.Sprintf("SELECT * FROM %s WHERE stream_seq <= %d ORDER BY stream_seq", table, b.known)
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	where := []string{fmt.Sprintf("stream_seq <= %d", b.known), fmt.Sprintf("business_date <= '%s'", b.end)}
	last := segments[len(segments)-1]
	switch segments[0] {
	case "lagging", "reached", "upcoming":
		where = append(where, "project_id = "+quoted(unescape.Replace(segments[1])))
	case "groups":
		where = append(where, b.ofHolder(segments, unescape))
	case "totals":
		where = append(where, b.ofSort(segments))
	}
	milestone := ""
	for _, segment := range segments {
		if _, known := schemas.ParseMilestone(segment); known && segment != last {
			milestone = segment
		}
	}
	switch {
	case milestone != "":
		where = append(where, "type IN ('milestone.reached.v1', 'milestone.planned.v1', 'project.registered.v1')",
			fmt.Sprintf("(type = 'project.registered.v1' OR JSONExtractString(data, 'milestone') = %s)", quoted(milestone)))
	case segments[0] == "investment" || len(segments) > 1 && segments[len(segments)-2] == "investment":
		where = append(where, "type IN ('progress.reported.v1', 'project.registered.v1', 'project.amended.v1')")
	case segments[0] == "issues":
		where = append(where, "type IN ('issue.raised.v1', 'issue.resolved.v1')")
	}
	return "SELECT stream_seq, type, project_id, business_date, source, id, data FROM events FINAL WHERE " + strings.Join(where, " AND ") + " ORDER BY stream_seq"
}

// ofSort restricts events to the projects that a total counts.
func (b bulletinSources) ofSort(segments []string) string {
	sort := "NOT cancelled"
	switch {
	case len(segments) == 3:
		sort += fmt.Sprintf(" AND %s = %s", strings.TrimPrefix(segments[1], "by_"), quoted(segments[2]))
	case segments[1] == "cancelled":
		sort = "cancelled"
	}
	return fmt.Sprintf("project_id IN (SELECT project_id FROM ledger(as_of = '%s', known = %d) WHERE %s)", b.end, b.known, sort)
}

// ofHolder restricts events to the projects of a row.
func (b bulletinSources) ofHolder(segments []string, unescape *strings.Replacer) string {
	ledger := fmt.Sprintf("ledger(as_of = '%s', known = %d)", b.end, b.known)
	column, key := segments[1], ""
	switch {
	case column == "district" && len(segments) > 3:
		key = segments[3]
	case len(segments) > 2:
		key = segments[2]
	}
	name := unescape.Replace(key)
	if name == "unassigned" && column != "district" {
		return fmt.Sprintf("project_id IN (SELECT project_id FROM %s WHERE %s IS NULL)", ledger, column)
	}
	return fmt.Sprintf("project_id IN (SELECT project_id FROM %s WHERE %s = %s)", ledger, column, quoted(name))
}

// definition says in one sentence what the value counts.
func definition(segments []string) string {
	last := segments[len(segments)-1]
	if d := definitions()[strings.Join(segments, "/")]; d != "" {
		return d
	}
	if len(segments) > 1 {
		if d := definitions()["*/"+segments[len(segments)-2]+"/"+last]; d != "" {
			return d
		}
	}
	return definitions()["*/"+last]
}

// definitions are keyed by the whole path, by the last two members, or by the
// last one.
func definitions() map[string]string {
	return map[string]string{
		"totals/projects":              "期末台账内没有取消的项目数。",
		"totals/total_investment":      "期末台账内没有取消的项目的总投资之和。",
		"totals/cancelled":             "至期末已经取消的项目数，不计入其他各数。",
		"*/by_status/completed":        "已经投产的项目数。",
		"*/by_status/smooth":           "没有停缓建、没有投产，也不属于无进展和进展缓慢的项目数。",
		"*/by_status/slow":             "亮黄灯或红灯、但不属于无进展的项目数。",
		"*/by_status/stalled":          "规定的连续几个月里既没有达到节点也没有新增投资的项目数。",
		"*/by_status/suspended":        "期末停建、缓建的项目数。",
		"*/by_light/green":             "节点和投资都没有落后、或者已经投产的项目数。",
		"*/by_light/yellow":            "节点或投资落后到黄灯界限的项目数。",
		"*/by_light/red":               "节点或投资落后到红灯界限的项目数。",
		"*/by_light/grey":              "停缓建的项目数。",
		"*/by_light/none":              "没有节点目标、也没有投资计划可判的项目数。",
		"*/by_stage/registered":        "三类节点都没有达到的项目数。",
		"*/by_stage/landed":            "最近达到的节点是落地的项目数。",
		"*/by_stage/started":           "最近达到的节点是开工的项目数。",
		"*/by_stage/producing":         "已经达到投产的项目数。",
		"*/due_year":                   "目标日期在今年年底以前、且以前年度没有完成的节点数；停缓建之后到期的不计。",
		"*/due_to_date":                "目标日期不晚于期末、且以前年度没有完成的节点数；停缓建之后到期的不计。",
		"*/done":                       "今年1月1日至期末达到的节点数。",
		"*/on_time":                    "今年达到、且不晚于目标日期的节点数。",
		"*/late":                       "今年达到、但晚于目标日期的节点数。",
		"*/new_in_period":              "达到日期在本期内的节点数。",
		"*/rate_to_date":               "今年已完成的节点数除以至期末应完成的节点数，可以超过100%。",
		"*/rate_year":                  "今年已完成的节点数除以全年应完成的节点数，可以超过100%。",
		"*/investment/plan":            "有年度计划、没有停缓建的项目的年度投资计划之和。",
		"*/investment/invested":        "上述项目今年至报告月累计完成投资之和；都没有报送时没有此数。",
		"*/investment/rate":            "完成投资除以年度计划，没有报送的按零计入。",
		"*/investment/time_progress":   "报告月的月数除以12。",
		"*/investment/vs_time":         "投资完成率减时序进度，由没有四舍五入的数相减。",
		"*/projects":                   "期末由其负责的项目数。",
		"*/score":                      "落地、开工、投产、台账、投资五项按权重折算成百分的得分。",
		"*/rank":                       "组内按得分从高到低的名次，同分同名次。",
		"*/rank_change":                "上一期的名次减本期的名次，正数为进步。",
		"*/completeness":               "各项目“七个一”已落实项数除以应落实项数的平均。",
		"*/reports_on_time":            "按时报送的月报数与应报送的月报数。",
		"*/satisfied":                  "“七个一”此项已经落实的项目数。",
		"*/applicable":                 "“七个一”此项应当落实的项目数。",
		"*/raised":                     "最近一次提出的日期在本期内的问题数。",
		"*/resolved":                   "销号日期在本期内的问题数。",
		"*/open":                       "期末没有销号的问题数。",
		"*/overdue":                    "期末没有销号、且已到期限的问题数。",
		"*/orphans":                    "所报项目没有登记、因此不能计入的事件数。",
		"*/conflicts":                  "同一编号重复报送而内容不同的次数，以先到的为准。",
		"*/foreign":                    "由无权报送此事的单位报送的事件数。",
		"*/dead_letters":               "不符合格式而退回的报送数。",
		"*/target":                     "最近一次经批准的计划日期。",
		"*/forecast":                   "最近一次计划日期，不论是否批准。",
		"*/reached_on":                 "最近一次报送的达到日期。",
		"*/overdue_months":             "目标日期之后过去的月末数，含目标当月。",
		"*/late_days":                  "达到日期或期末减目标日期的天数。",
		"*/consecutive_stalled_months": "从期末往前数，连续判为无进展的月数。",
		"*/status":                     "项目期末的进展情况：停缓建、已完成、无进展、进展缓慢、进展顺利，依次判定。",
		"*/light":                      "节点和投资两盏灯中较差的一盏。",
	}
}
