package pages

import (
	"fmt"
	"testing"

	"milepost/schemas"
)

func TestTheSchedulersReasonsAreSaidInChinese(t *testing.T) {
	t.Parallel()
	away := &schemas.Error{Code: schemas.Unavailable, Message: "the drafts cannot be reached", Hint: "check that NATS runs with JetStream"}
	for reason, want := range map[string]string{
		"":                           "",
		"drafted; people publish it": "已起草，待签发",
		"is running on host-2":       "正在 host-2 上执行",
		"its turn comes: host-1 runs what is due": "排队中，host-1 正在办理到期的各期",
		fmt.Sprintf("failed 3 times and is tried again every 5m0s: %v", fmt.Errorf("draft of 2026-Q3: %w", away)): "已失败 3 次，每 5 分钟重试：草稿暂时存取不了。请检查 NATS",
		"failed 2 times and is tried again every 1h30m0s: dial tcp: refused":                                      "已失败 2 次，每 1h30m0s重试：系统原话：dial tcp: refused",
		"2 条提醒,1 个收件方":                      "2 条提醒,1 个收件方",
		"files of 2026-10: " + away.Error(): "草稿暂时存取不了。请检查 NATS",
		"something new":                     "系统原话：something new",
	} {
		if got := ScheduleReason(reason); got != want {
			t.Errorf("%q is said as %q, not %q", reason, got, want)
		}
	}
}
