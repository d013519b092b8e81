package pages

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// scheduleSayings are the scheduler's reasons in Chinese; $1 is what stands in
// them.
var scheduleSayings = []struct {
	says *regexp.Regexp
	said string
}{
	{regexp.MustCompile(`^is running on (.+)$`), "正在 $1 上执行"},
	{regexp.MustCompile(`^was interrupted on (.+); the next look goes on$`), "在 $1 上中断，下次检查时继续"},
	{regexp.MustCompile(`^drafted; people publish it$`), "已起草，待签发"},
	{regexp.MustCompile(`^its turn comes: (.+) runs what is due$`), "排队中，$1 正在办理到期的各期"},
	{regexp.MustCompile(`^an earlier period of the job comes first, or no process runs the scheduler$`), "要先办更早的一期，或者没有进程承担排程（scheduler）"},
	{regexp.MustCompile(`^no replica ran when it was due, and it is too late for it now$`), "到期时没有服务在运行，现在补办已经过时"},
	{regexp.MustCompile(`^nobody is told: no delivery is configured$`), "没有配置投递，无人可告知"},
	{regexp.MustCompile(`^people publish it: the job is manual$`), "此任务由人工发布"},
	{regexp.MustCompile(`^the draft was there already$`), "草稿此前已有"},
	{regexp.MustCompile(`^an earlier try was interrupted$`), "上次执行中断过"},
	{regexp.MustCompile(`^the process ended within the run; the next look goes on$`), "执行中服务退出，下次检查时继续"},
	{regexp.MustCompile(`^people published it$`), "已由人工发布"},
	{regexp.MustCompile(`^the run was interrupted after it had published, or another replica did it$`), "发布之后中断，或者由另一个服务发布"},
}

var failedTries = regexp.MustCompile(`(?s)^failed (\d+) times and is tried again every (\S+): (.*)$`)

// ScheduleReason says in Chinese why a run did what it did. An error is said in
// the words of the first message that stands in it; one without words stays as
// it is, behind words that say so.
func ScheduleReason(reason string) string {
	if reason == "" {
		return ""
	}
	for _, one := range scheduleSayings {
		if one.says.MatchString(reason) {
			return one.says.ReplaceAllString(reason, one.said)
		}
	}
	if parts := failedTries.FindStringSubmatch(reason); parts != nil {
		return "已失败 " + parts[1] + " 次，每 " + inMinutes(parts[2]) + "重试：" + failureReason(parts[3])
	}
	if strings.ContainsFunc(reason, isHan) {
		return reason // the notices are said in Chinese
	}
	return failureReason(reason)
}

func isHan(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }

// failureReason finds a message that has words in an error's text: the earliest,
// and of those that begin there the longest.
func failureReason(text string) string {
	place, found := len(text), ""
	for _, message := range slices.Sorted(maps.Keys(sayings)) {
		if at := strings.Index(text, message); at >= 0 && (at < place || at == place && len(message) > len(found)) {
			place, found = at, message
		}
	}
	if found == "" {
		return "系统原话：" + text
	}
	said := sayings[found]
	if said[1] == "" {
		return said[0]
	}
	return said[0] + "。" + said[1]
}

// inMinutes says a time as the scheduler writes it, such as 5m0s.
func inMinutes(text string) string {
	if minutes, whole := strings.CutSuffix(text, "m0s"); whole && !strings.ContainsAny(minutes, "hs") {
		return minutes + " 分钟"
	}
	return text
}
