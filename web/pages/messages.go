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
	"not an amount":                                                 {"金额不对", "填 0 以上的数，单位万元，最多两位小数"},
	"not a date":                                                    {"日期不对", "按 2025-10-31 的样子填写真实日期"},
	"not a month":                                                   {"月份不对", "按 2025-10 的样子填写"},
	"not a milestone":                                               {"没有这个节点", "选择落地、开工或投产"},
	"not a category":                                                {"没有这个类别", "从列表中选择"},
	"not a name":                                                    {"名称不对", "填 1 至 300 个字，不换行"},
	"not a line of text":                                            {"文字过长或有换行", "填一行，最多 4000 个字"},
	"not a text":                                                    {"文字过长或为空", "填 1 至 4000 个字"},
	"not the id of an issue":                                        {"问题编号不对", "填 1 至 128 个字，不换行"},
	"not an address":                                                {"网址不对", "填 1 至 2000 个字符的网址，不换行"},
	"required, but not given":                                       {"必须填写", "补上后再报"},
	"reached after the event's own time":                            {"完成日期晚于今天", "填今天或以前的日期"},
	"a month after the event's own time":                            {"月份还没有到", "填本月或以前的月份"},
	"a milestone needs evidence":                                    {"节点完成须附佐证", "上传佐证材料，或填写网址"},
	"the token does not speak for this district":                    {"此账号不代表这个县(市)区", "只能填报本单位的项目"},
	"the department does not answer for the project":                {"本部门不是该项目的责任单位", "只能填报本部门负责的项目"},
	"the token does not send this type":                             {"此账号不能报送这一类", "请管理员调整权限"},
	"a department sends issues and progress":                        {"市直部门只报送进度和问题", "节点由县(市)区填报"},
	"the token's role may not do this":                              {"此账号没有这项权限", "换用有权限的账号登录，或从菜单进入"},
	"this server needs a token":                                     {"请先登录", "用令牌登录后再试"},
	"no such token":                                                 {"令牌不对", "请完整粘贴 mp_ 开头的令牌"},
	"too many bad tokens came from this network":                    {"尝试次数过多", "请一分钟后再试"},
	"a page of another site sent this":                              {"请求来自其他网站，已拒绝", "请从本站页面操作"},
	"the server failed":                                             {"系统出错", "请稍后再试；服务器日志里有原因"},
	"no such project":                                               {"没有这个项目", "台账里列出全部项目"},
	"this process takes no events":                                  {"此服务不接收填报", "请到接收填报的服务上操作"},
	"no such format":                                                {"没有这种格式", "选 XLSX 或 CSV"},
	"more projects than a sheet holds":                              {"项目太多，一张工作表装不下", "缩小筛选范围，或导出 CSV；一张工作表最多 1,048,575 个项目"},
	"no such form":                                                  {"没有这个表单", "从填报页进入"},
	"the tokens cannot be reached":                                  {"账号服务暂时不可用", "请稍后再试"},
	"ClickHouse does not answer":                                    {"数据仓库暂时不可用", "请稍后再试"},
	"only the city office says this":                                {"这一项只由市级报送", "请市级办公室报送"},
	"not a project id":                                              {"项目编号不对", "填 1 至 64 个字母、数字、- 或 _，以字母或数字开头，如 P-0012"},
	"not a year":                                                    {"年度不对", "填四位年份，如 2025"},
	"not an adjustment's points":                                    {"分值不对", "填 −20 到 5 的数，最多两位小数"},
	"not a district":                                                {"没有这个县(市)区", "从列表中选择"},
	"not a kind of row":                                             {"没有这个类别", "从列表中选择"},
	"not a tag":                                                     {"标签不对", "每个标签 1 至 100 个字，用顿号隔开"},
	"not a list of tags":                                            {"标签太多", "最多 50 个"},
	"not a list of evidence":                                        {"佐证材料太多", "最多 50 份"},
	"an office revokes what it sent itself":                         {"只能撤销本单位报送的记录", "其他单位的记录请市级撤销"},
	"the token does not send under this source":                     {"此账号不能以这个来源报送", "请管理员调整权限"},
	"the token is of another department":                            {"此账号属于其他部门", "只能报送本部门的问题"},
	"not in the closed list of departments":                         {"名录里没有这个部门", "从列表中选择"},
	"not in the closed list of leads":                               {"名录里没有这位领导", "从列表中选择"},
	"the file is empty":                                             {"文件是空的", "重新选择文件"},
	"the file has more than 20 MiB":                                 {"文件超过 20 MB", "降低扫描清晰度，或者分成几个文件"},
	"not a kind of file that is kept":                               {"不收这一类文件", "收 PDF、OFD、JPG、PNG、DOCX、XLSX（不含宏），以内容为准"},
	"too many files at once":                                        {"文件太多", "一次最多 10 份"},
	"there is no more room for evidence":                            {"佐证材料的空间已满", "请联系管理员"},
	"the sessions cannot be reached":                                {"登录服务暂时不可用", "请稍后再试"},
	"the evidence cannot be reached":                                {"佐证材料暂时存取不了", "请稍后再试"},
	"no such file":                                                  {"没有这份材料", "项目页列出全部佐证材料"},
	"no file was chosen":                                            {"没有选择文件", "选择 XLSX 或 CSV 文件"},
	"the form does not read":                                        {"表单没有收全", "请从表单页重新提交"},
	"the body did not arrive in time":                               {"上传超时", "请重新提交，刚才什么也没有报送"},
	"too many previews wait to be confirmed":                        {"等待确认的预览太多", "请稍后再试"},
	"no such preview; it may have expired":                          {"预览已过期", "请重新上传文件"},
	"tokens are made by the operator or by an admin":                {"令牌由运行服务的用户或管理员建立", "在服务器上运行 milepost token，或用管理员的令牌登录"},
	"an office token needs a district":                              {"县(市)区的令牌要选县(市)区", "至少选一个；市级办公室选市级"},
	"a department token needs a department":                         {"部门的令牌要填部门", "按名录里的名称填写"},
	"a department token needs a source of its own":                  {"部门的令牌要填来源前缀", "如 /departments/fgw"},
	"an office token has no department":                             {"县(市)区的令牌不填部门", "部门用“市直部门”角色"},
	"only tokens of offices and departments are bound to something": {"这个角色不限范围", "不选县(市)区、部门和类型"},
	"not a time from now":                                           {"有效期不对", "如 90d 或 12h，最长 10 年"},
	"not the beginning of a source":                                 {"来源前缀不对", "如 /offices/shanyang，末尾不带斜线"},
	"no type that a sender may use":                                 {"没有这个类型", "如 progress.reported.v1"},
	"no such role":                                                  {"没有这个角色", "从列表中选择"},
	"no such dead letter":                                           {"没有这件退件", "列表里有编号"},
	"not a reason":                                                  {"没有写原因", "写明原因，最多 1000 字"},
	"no such event":                                                 {"没有这条记录", "从项目页的事件记录进入"},
	"the body is too large":                                         {"提交的内容过大", "分几次提交"},
	"the drafts cannot be reached":                                  {"草稿暂时存取不了", "请检查 NATS"},
	"the archive of editions cannot be reached":                     {"通报档案暂时存取不了", "请检查 NATS 及其空间"},
	"the previews of imports cannot be kept":                        {"预览暂时存取不了", "请稍后再试"},
	"the archive lacks the file":                                    {"档案里没有这个文件", "重启排程服务，会补做缺少的文件"},
	"the record of runs cannot be reached":                          {"执行记录暂时存取不了", "请检查 NATS"},
	"the lease of the scheduler cannot be reached":                  {"排程的租约暂时存取不了", "请检查 NATS"},
	"the time of the first start cannot be read":                    {"首次启动的时间读不出来", "请检查 NATS"},
	"the bulletin folder cannot be used":                            {"存放通报的文件夹不能用", "请检查 bulletins.dir 的路径和权限"},
	"no folder of remarks":                                          {"没有存放编者段落的文件夹", "请检查 documents.remarks 的路径"},
	"no font on this machine has some characters of the document":   {"本机字体缺少文中的个别字", "安装字体（fonts-noto-cjk），或者运行 milepost engine --fonts"},
	"no Chromium to print PDF with":                                 {"没有打印 PDF 的浏览器", "安装 chromium，或者在 documents.browser 写明路径"},
	"Chromium did not print":                                        {"浏览器没有打印出来", "看看 chromium --headless --print-to-pdf 在本机能不能运行"},
	"other replicas kept publishing first":                          {"其他服务抢先发布", "下次检查时再办"},
	"other replicas kept writing first":                             {"其他服务抢先写入", "下次检查时再办"},
	"no such rule set is kept":                                      {"没有保存这套规则", "请检查规则配置"},
}
