package render

import (
	"fmt"

	"milepost/schemas"
)

// unknown is printed where a figure or a word is not known.
const unknown = "-"

// none is printed for an empty list.
const none = "无。"

// money prints 万元, and from 10,000 万元 on 亿元 with two decimals.
func money(m schemas.Money) string {
	const wanInYi = 10_000 * 100 // hundredths of 万元
	if m >= wanInYi || m <= -wanInYi {
		return schemas.Quotient(int64(m), wanInYi, 1, 2).String() + "亿元"
	}
	return m.String() + "万元"
}

func percent(f *schemas.Figure) string {
	if f == nil {
		return unknown
	}
	return f.String() + "%"
}

// signed prints a figure with its sign.
func signed(f *schemas.Figure) string {
	if f != nil && f.Units > 0 {
		return "+" + f.String()
	}
	return f.String()
}

func wordOrUnknown(s *string) string {
	if s == nil {
		return unknown
	}
	return *s
}

func isoDate(d schemas.Date) string {
	if d == 0 {
		return unknown
	}
	return d.String()
}

func chineseDate(d schemas.Date) string {
	year, month, day := d.Time().Date()
	return fmt.Sprintf("%d年%d月%d日", year, int(month), day)
}

func chineseMonth(m schemas.Month) string { return fmt.Sprintf("%d年%d月", m.Year(), m.Number()) }

// months says the months of the year up to the one given: 1月, 1—10月.
func months(m schemas.Month) string {
	if m.Number() == 1 {
		return "1月"
	}
	return fmt.Sprintf("1—%d月", m.Number())
}

func milestoneName(word string) string {
	switch word {
	case "landed":
		return "落地"
	case "started":
		return "开工"
	case "producing":
		return "投产"
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

// lateness says days from the target: 晚5天, 提前13天, 按期.
func lateness(days *int) string {
	switch {
	case days == nil:
		return unknown
	case *days > 0:
		return fmt.Sprintf("晚%d天", *days)
	case *days < 0:
		return fmt.Sprintf("提前%d天", -*days)
	}
	return "按期"
}

// thisPeriod and nextPeriod are how a bulletin speaks of its own period.
func thisPeriod(kind schemas.PeriodKind) string {
	switch kind {
	case schemas.Week:
		return "本周"
	case schemas.Quarter:
		return "本季度"
	case schemas.Half:
		return "本半年"
	case schemas.Year:
		return "本年度"
	}
	return "本月"
}

func nextPeriod(kind schemas.PeriodKind) string {
	switch kind {
	case schemas.Week:
		return "下周"
	case schemas.Quarter:
		return "下季度"
	case schemas.Half:
		return "下一个半年"
	case schemas.Year:
		return "下年度"
	}
	return "下月"
}
