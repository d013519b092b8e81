package imports

import (
	"regexp"
	"slices"
	"strings"
)

// officeWord is a fault in the words of the office that mends it.
type officeWord struct {
	message         *regexp.Regexp
	problem, remedy string
}

// officeWords says what an errors file tells: the faults of cells and rows, in
// Chinese. $1 is what the message has in its place. Faults of mappings and of
// the way are for others and stay as they are.
func officeWords() []officeWord {
	words := []struct{ message, problem, remedy string }{
		{`the row has no snapshot date`, "本行没有数据截止日期", "填写日期"},
		{`(?:.*: )?the snapshot's date lies in the future`, "数据截止日期晚于今天", "改为本期日期"},
		{`nothing tells the snapshot's date`, "没有数据截止日期", "在表头上方填写数据截止日期"},
		{`the row has no project id`, "没有项目编号", "填写项目编号,或清空本行"},
		{`the project id is merged over several cells`, "项目编号是合并单元格", "取消合并,每个项目一行、各有编号"},
		{`the spreadsheet has made a number of this id`, "项目编号被表格软件转成了数字", "把该列设为文本格式后重新填写编号"},
		{`no project id can be made of this`, "项目编号只能由字母、数字、- 和 _ 组成,以字母或数字开头,64 位以内", "更正编号"},
		{`gives the project id (\S+), as .* does`, "与另一编号都对应 $1,无法区分", "更正编号"},
		{`no configured district`, "没有这个县(市)区", "从下拉列表中选择"},
		{`another district than that of the office that sends the sheet`, "不是报送单位所在的县(市)区", "只报送本地项目"},
		{`one amount is merged over several cells`, "金额是合并单元格", "取消合并,每个项目各填金额"},
		{`a percentage, and the row has no plan of (\d+) that it could be of`, "填了百分比,但没有 $1 年计划投资", "填写本年计划投资,或改填金额"},
		{`not an amount`, "不是金额", "写成数字,如 1234.56,或带单位,如 1.2亿元"},
		{`an amount below zero`, "金额小于零", "更正金额"},
		{`an amount above (.*)`, "金额超过 $1", "更正金额或单位"},
		{`a percentage, not a date`, "是百分数,不是日期", "写成日期,如 2026-03-05"},
		{`a number, not a date`, "是数字,不是日期", "把单元格设为日期格式,或写成 2026-03-05"},
		{`not a date: it looks like the number.*`, "不是日期,像是表格软件的日期序号", "把该列设为日期格式后再保存"},
		{`not a date in the mapping's form, or no such day`, "不是日期,或没有这一天", "写成日期,如 2026-03-05"},
		{`(?:not a day from 1900 to 2299|the cell is shown as a date and is no day.*)`, "不是 1900 年至 2299 年间的日期", "写成日期,如 2026-03-05"},
		{`lies after the snapshot's date (\S+)`, "晚于数据截止日期 $1", "更正日期;尚未发生的填在计划或预计列"},
		{`the issue has no id`, "没有问题编号", "填写编号,在本项目内不重复"},
		{`lies before the day on which the issue was raised`, "早于问题提出日期", "核对两个日期"},
		{`the issue needs a title`, "没有问题内容", "填写问题内容"},
		{`the issue needs a category`, "没有类别", "从下拉列表中选择"},
		{`the issue needs a department`, "没有责任单位", "填写责任单位"},
		{`the issue needs the day on which it was raised`, "没有提出日期", "填写提出日期"},
		{`the issue needs a deadline`, "没有解决期限", "填写解决期限"},
		{`no category of issues`, "没有这个类别", "从下拉列表中选择"},
		{`no such project is registered.*`, "“台账”中没有这个项目,或该项目未能导入", "在“台账”中补充,或更正编号"},
		{`a new project needs its name`, "新项目没有名称", "填写项目名称"},
		{`a new project needs its total_investment`, "新项目没有总投资", "填写总投资"},
		{`a new project needs its district`, "新项目没有县(市)区", "从下拉列表中选择"},
		{`an office cannot lower the plan of (\d+), which has begun: it is (\S+)`, "$1 年已开始,县(市)区单位不得调低本年计划投资(现为 $2)", "确需调整的,请市级单位办理"},
		{`the formula of this cell has no stored result`, "公式没有计算结果", "用 Excel 或 WPS 打开并保存后重新报送"},
		{`the formula of this cell has failed`, "公式出错", "更正公式,或直接填写"},
		{`the cell has more than 32,767 characters`, "文字超过 32767 个字符", "缩短"},
		{`the cell refers to a text that the workbook does not have|the cell holds a number that does not read`, "单元格已损坏", "重新填写并保存"},
		{`the row has (\d+) cells and the header (\d+)`, "本行有 $1 个单元格,表头有 $2 个", "含分隔符的内容加英文双引号"},
		{`the row cannot be read`, "本行无法读取", "引号内的英文双引号写两个"},
		{`the file has this column twice`, "有两个同名的列", "给其中一列改名"},
		{`the file has no such column`, "缺少这一列", "恢复模板中的列名"},
		{`event (\S+) was not published.*`, "已通过检查但未能发布", "重新导入整张表,已经导入的不会重复"},
	}
	list := make([]officeWord, len(words))
	for i, w := range words {
		list[i] = officeWord{regexp.MustCompile(`^(?:` + w.message + `)$`), printed(w.problem), printed(w.remedy)}
	}
	return list
}

// faultWords turns faults into the office's words.
type faultWords struct{ words []officeWord }

func newFaultWords() *faultWords { return &faultWords{officeWords()} }

// say gives what is wrong and what to do; a fault that has no words of its own
// stays as it is.
func (f *faultWords) say(fault *Fault) (problem, remedy string) {
	i := slices.IndexFunc(f.words, func(w officeWord) bool { return w.message.MatchString(fault.Message) })
	if i < 0 {
		return fault.Message, fault.Hint
	}
	w := f.words[i]
	return w.message.ReplaceAllString(fault.Message, strings.ReplaceAll(w.problem, "$1 ", "${1} ")), w.remedy
}

// text is the comment on a cell.
func (f *faultWords) text(fault *Fault) string {
	problem, remedy := f.say(fault)
	if fault.Value != "" {
		problem += "\uFF08" + fault.Value + "\uFF09"
	}
	if remedy != "" {
		problem += "\uFF1B" + remedy
	}
	return problem
}

// InOfficeWords gives faults in the office's words, as the errors file has them.
func InOfficeWords(faults []Fault) []Fault {
	words := newFaultWords()
	said := make([]Fault, len(faults))
	for i := range faults {
		said[i] = faults[i]
		said[i].Message, said[i].Hint = words.say(&faults[i])
	}
	return said
}
