package imports

import (
	"fmt"
	"strings"
)

// writeGuide writes the page of explanations: how to report, and what each
// column asks for, with an example.
func (b *templateBook) writeGuide() error {
	f := b.file
	row := 1
	for letters, width := range map[string]float64{"A": 24, "B": 8, "C": 78, "D": 26} {
		if err := f.SetColWidth(guideSheet, letters, letters, width); err != nil {
			return err
		}
	}
	if err := b.text(guideSheet, 1, row, "填表说明", b.styles.title); err != nil {
		return err
	}
	if err := f.SetRowHeight(guideSheet, row, 34); err != nil {
		return err
	}
	row++
	for i, text := range []string{
		"“台账”一行一个项目,“问题”一行一个问题;不要合并项目编号和金额的单元格,不要改列名。可以增加自用的列,导入时不读取并予以提示。",
		"每次报送前,把“数据截止日期”改为本期日期。表内的变动按这一天登记,累计投资按这一天所在的月份登记。",
		"单元格留空(或填 -、无)表示没有变化,沿用以前报送的内容;不会清除以前的内容。写错的日期、金额改正后重新报送即可。",
		"金额的单位写在列名括号内,默认万元;百分数、带单位的数(1.2亿元)、全角数字和千分位都能识别。小数超过两位的四舍五入。",
		"公式取保存时的计算结果;出错的公式(如 #N/A)所在的行不予导入。",
		"导入前先预览:逐项列出新增、变更和不予导入的单元格。不予导入的行改正后重新报送整张表,已经导入的不会重复。",
	} {
		if err := b.guideLine(row, fmt.Sprintf("%d. %s", i+1, text)); err != nil {
			return err
		}
		row++
	}
	row++
	for _, table := range []struct {
		sheet   string
		columns []templateColumn
	}{{ledgerSheet, b.columns()}, {issueSheet, b.issueColumns()}} {
		for i, head := range []string{"“" + table.sheet + "”的列", "必填", "填写要求", "示例"} {
			if err := b.text(guideSheet, i+1, row, head, b.styles.guideHead); err != nil {
				return err
			}
		}
		row++
		for _, c := range table.columns {
			required := ""
			if c.required {
				required = "是"
			}
			example := c.example
			if c.list == "县(市)区" && len(b.lists()[0].words) > 0 {
				example = b.lists()[0].words[0]
			}
			for i, text := range []string{c.name, required, printed(c.rule), example} {
				if err := b.text(guideSheet, i+1, row, text, b.styles.guideText); err != nil {
					return err
				}
			}
			if err := f.SetRowHeight(guideSheet, row, lineHeight(c.rule, 48)); err != nil {
				return err
			}
			row++
		}
		row++
	}
	if err := b.text(guideSheet, 1, row, fmt.Sprintf("模板版本 %d", templateVersion), b.styles.remark); err != nil {
		return err
	}
	return b.pageOf(guideSheet, paperA4)
}

func (b *templateBook) guideLine(row int, text string) error {
	return attempt(
		func() error { return b.file.SetCellStyle(guideSheet, at(1, row), at(4, row), b.styles.guideText) },
		func() error { return b.text(guideSheet, 1, row, printed(text), b.styles.guideText) },
		func() error { return b.file.MergeCell(guideSheet, at(1, row), at(4, row)) },
		func() error { return b.file.SetRowHeight(guideSheet, row, lineHeight(text, 86)) },
	)
}

// lineHeight is the height of a text that wraps after so many characters.
func lineHeight(text string, perLine int) float64 {
	return 20 + 15*float64((len([]rune(text))-1)/perLine)
}

// fullWidth are the signs of punctuation between Chinese words.
var fullWidth = strings.NewReplacer(",", "\uFF0C", ";", "\uFF1B", ":", "\uFF1A", "(", "\uFF08", ")", "\uFF09")

// printed writes a text with the signs of printed Chinese.
func printed(text string) string { return fullWidth.Replace(text) }
