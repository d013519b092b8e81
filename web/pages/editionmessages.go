package pages

import (
	"errors"
	"strings"

	"milepost/schemas"
)

// deskSayings are message and hint in Chinese by the beginning of an English
// message of the desk; %s stands for the rest of the message.
var deskSayings = []struct{ begins, said, hint string }{
	{"no draft and no edition of this id", "还没有起草", "先起草"},
	{"not the id of an edition", "没有这样的编号", "从通报列表进入"},
	{"not a period", "期间不对", "写作 2025-W40、2025-10、2025-Q4、2025-H2 或 2025"},
	{"the period's reports are not due yet", "本期报送还没有到期", "报送截止后再起草；在此之前可看按现在已知内容的文件"},
	{"the period was published as ", "本期已发布：%s", "需要修改时作更正"},
	{"it was published as ", "已经发布，不能再改", "需要修改时作更正或撤回"},
	{"nobody approved the draft", "草稿还没有签发", "先签发，再发布"},
	{"the draft was returned too often", "退回次数过多", "先发布，以后再更正"},
	{"the draft was returned", "草稿已退回", "修改后重新起草"},
	{"another person than the drafter approves here", "起草人不能签发自己的草稿", "请另一位编审签发"},
	{"departments may still answer (征求意见): ", "征求意见还没有结束，未答复：%s", "等到截止日，或提前结束征求意见"},
	{"a text is needed here, and not a long one", "请填写文字，不超过 2000 字", "补上后再提交"},
	{"the text has control characters", "文字里有控制字符", "改为普通文字"},
	{"too many paragraphs", "段落过多", "每类最多 20 段"},
	{"the last day has passed", "截止日期已过", "填今天或以后的日期"},
	{"too many departments", "部门过多", "最多 200 个"},
	{"the draft counts no department", "草稿没有涉及任何部门", "写明要征求意见的部门"},
	{"nobody was asked", "没有征求过意见", "请等编审发起"},
	{"the sender's department was not asked", "没有征求本部门的意见", "如需反映，请联系编审"},
	{"the round has ended", "征求意见已经结束", "请直接联系编审"},
	{"the answers are too long together", "答复合计过长", "请写短一些"},
	{"nothing changed since ", "与%s相比没有变化", "写明更正的原因"},
	{"only a published edition is corrected", "只有已发布的才能更正", "未发布的可重新起草"},
	{"only a published edition is withdrawn", "只有已发布的才能撤回", "未发布的可退回"},
	{"it was withdrawn before: ", "早已撤回：%s", "撤回不再改变"},
	{"the period was published meanwhile", "期间已由他人发布，不是这份草稿", "需要修改时作更正"},
	{"what it corrects is not published", "所更正的一期没有发布", "见通报列表"},
	{"the token's role may not read drafts", "此账号不能看草稿", "部门只能看征求本部门意见的草稿"},
	{"the draft was changed meanwhile", "草稿在您打开页面之后已被他人改过", "页面已换成最新内容，请核对后再操作"},
	{"not confirmed", "请先勾选确认", "此操作不能收回"},
	{"the reports of the year's December are not due yet", "本年度 12 月的报送还没有到期", "报送截止后再办理"},
	{"not a number of days", "天数不对", "填 1 至 90"},
	{"the assessment was finalised", "考核已定稿", "定稿后不再改变"},
	{"nothing changed since the announcement", "公示之后结果没有变化，不必重新公示", "公示期满后定稿"},
	{"the assessment is not announced", "考核还没有公示", "先公示"},
	{"the announcement (公示) has ended", "公示已经结束", "请直接联系考核单位"},
	{"the announced assessment has no such row", "公示结果里没有这一行", "从考核表进入"},
	{"the assessment is being announced", "考核正在公示", "公示期满后再定稿"},
	{"an assessment has no draft of this kind", "考核没有这种草稿", "见考核页"},
	{"not a year", "年度不对", "写四位数字，如 2025"},
	{"other replicas kept", "他人正在操作", "请稍后再试"},
	{"others kept changing the draft", "他人正在修改草稿", "请稍后再试"},
	{"the edition before, sequence", "前一期还没有入库", "请稍后再试"},
	{"the action cannot be recorded", "操作记录写不进去，没有执行", "请稍后再试"},
	{"no such row", "没有这一行", "从考核表进入"},
	{"no such page", "没有这个页面", "请从菜单进入"},
}

// deskInChinese says an error of the desk in the words of the pages.
func deskInChinese(e *schemas.Error) {
	if number, reason, found := strings.Cut(e.Message, " was withdrawn: "); found {
		e.Message, e.Hint = number+"已撤回："+reason, "更正会另编一期"
		return
	}
	if strings.HasSuffix(e.Message, " was published or withdrawn after the draft was made") {
		e.Message, e.Hint = "起草之后又有一期发布或撤回", "重新起草；自己的段落会保留"
		return
	}
	for _, one := range deskSayings {
		if rest, found := strings.CutPrefix(e.Message, one.begins); found {
			e.Message, e.Hint = strings.ReplaceAll(one.said, "%s", rest), one.hint
			return
		}
	}
}

// chineseError gives an error for a page; one that is nobody's mistake gives nil.
func chineseError(err error) *schemas.Error {
	var e *schemas.Error
	if !errors.As(err, &e) {
		return nil
	}
	return inChinese(e)
}
