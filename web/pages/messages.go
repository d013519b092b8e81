package pages

import "milepost/schemas"

// inChinese says an error in the words of the pages; what has no words there
// keeps its own.
func inChinese(e *schemas.Error) *schemas.Error {
	said := *e
	if words, ok := sayings[e.Message]; ok {
		said.Message = words[0]
		if words[1] != "" {
			said.Hint = words[1]
		}
		return &said
	}
	deskInChinese(&said)
	return &said
}

// sayings are message and hint in Chinese by the English message.
var sayings = map[string][2]string{
	"not an amount":                                  {"金额不对", "填 0 以上的数，单位万元，最多两位小数"},
	"not a date":                                     {"日期不对", "按 2025-10-31 的样子填写真实日期"},
	"not a month":                                    {"月份不对", "按 2025-10 的样子填写"},
	"not a milestone":                                {"没有这个节点", "选择落地、开工或投产"},
	"not a category":                                 {"没有这个类别", "从列表中选择"},
	"not a name":                                     {"名称不对", "填 1 至 300 个字，不换行"},
	"not a line of text":                             {"文字过长或有换行", "填一行，最多 4000 个字"},
	"not a text":                                     {"文字过长或为空", "填 1 至 4000 个字"},
	"not the id of an issue":                         {"问题编号不对", "填 1 至 128 个字，不换行"},
	"not an address":                                 {"网址不对", "填 1 至 2000 个字符的网址，不换行"},
	"not a project id":                               {"项目编号不对", "从列表中选择项目"},
	"required, but not given":                        {"必须填写", "补上后再报"},
	"reached after the event's own time":             {"完成日期晚于今天", "填今天或以前的日期"},
	"a month after the event's own time":             {"月份还没有到", "填本月或以前的月份"},
	"a milestone needs evidence":                     {"节点完成须附佐证", "填佐证材料的网址"},
	"the token does not speak for this district":     {"此账号不代表这个县(市)区", "只能填报本单位的项目"},
	"the department does not answer for the project": {"本部门不是该项目的责任单位", "只能填报本部门负责的项目"},
	"the token does not send this type":              {"此账号不能报送这一类", "请管理员调整权限"},
	"a department sends issues and progress":         {"市直部门只报送进度和问题", "节点由县(市)区填报"},
	"the token's role may not do this":               {"此账号没有这项权限", "换用有权限的账号登录，或从菜单进入"},
	"this server needs a token":                      {"请先登录", "用令牌登录后再试"},
	"no such token":                                  {"令牌不对", "请完整粘贴 mp_ 开头的令牌"},
	"too many bad tokens came from this network":     {"尝试次数过多", "请一分钟后再试"},
	"a page of another site sent this":               {"请求来自其他网站，已拒绝", "请从本站页面操作"},
	"the server failed":                              {"系统出错", "请稍后再试；服务器日志里有原因"},
	"no such project":                                {"没有这个项目", "台账里列出全部项目"},
	"this process takes no events":                   {"此服务不接收填报", "请到接收填报的服务上操作"},
	"no such form":                                   {"没有这个表单", "从填报页进入"},
	"the tokens cannot be reached":                   {"账号服务暂时不可用", "请稍后再试"},
	"ClickHouse does not answer":                     {"数据仓库暂时不可用", "请稍后再试"},
	"the body is too large":                          {"提交的内容过大", "分几次提交"},
}
