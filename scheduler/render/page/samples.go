package page

import (
	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// samples are documents with every kind of block, which templates are tried on.
func samples() []*document.Document {
	blocks := []document.Block{
		&document.Heading{Level: 2, Text: "（一）节点"},
		&document.Paragraph{Lead: true, Text: document.Text{{Text: "今年已落地"}, {Text: "3", Figure: "milestones/landed/done"}, {Text: "个。"}}},
		&document.Paragraph{Editor: true, Text: document.Words("请各单位抓紧。")},
		&document.List{Numbered: true, Note: true, Items: []document.Text{document.Words("口径")}},
		&document.Table{Key: "sample", Caption: "样表", Unit: "单位：万元", Columns: []document.Column{{Name: "项目", Width: 8}, {Name: "亮灯", Kind: document.LightColumn, Width: 3}, {Name: "投资", Group: "投资", Kind: document.NumberColumn, Width: 5}},
			Rows: []document.Row{{Cells: []document.Cell{{Text: "项目"}, {Text: "红", Light: schemas.Red}, {Text: "1.50", Figure: "investment/plan"}}}}},
		&document.Chart{Key: "sample", Kind: document.LightMatrix, Title: "亮灯", Alt: "红1个。", Columns: []string{"红"}, Matrix: []document.MatrixRow{{Label: "甲区", Cells: []document.MatrixCell{{Light: schemas.Red, Text: "1"}}}}},
	}
	sections := []document.Section{{Key: "overview", Heading: "一、总体情况", Blocks: blocks}}
	signature := &document.Signature{Body: "办公室", Day: "2026年1月1日", Contact: "联系人"}
	return []*document.Document{
		{Edition: document.Official, Name: "sample-official", Title: []string{"甲", "乙"}, Number: "草案", Facts: []string{"数据截至"}, Head: &document.Head{Mark: "办公室文件", Reference: "办〔2026〕1号", Addressees: "各单位"},
			Sections: sections, Annexes: []document.Annex{{Key: "a", Label: "附件1", Title: "表", Landscape: true, Blocks: blocks}}, Signature: signature,
			Imprint: &document.Imprint{Copies: "各部门", Body: "办公室", Day: "2026年1月1日"}, Data: []byte("{}"), Sources: sampleSources{}},
		{Edition: document.Media, Name: "sample-media", Title: []string{"甲"}, Number: "第1期", Sections: sections, Signature: signature},
	}
}

type sampleSources struct{}

func (sampleSources) Source(string) (document.Source, bool) {
	return document.Source{Definition: "定义。", Select: "SELECT 1", Events: "SELECT 2"}, true
}
