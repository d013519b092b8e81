package docx

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"milepost/scheduler/render"
	"milepost/scheduler/render/document"
	"milepost/schemas"
)

func figure(units int64, decimals int) *schemas.Figure {
	return &schemas.Figure{Units: units, Decimals: decimals}
}

// everything is a document with every kind of block.
func everything() *document.Document {
	table := &document.Table{Key: "t", Caption: "表", Unit: "单位：万元", Columns: []document.Column{{Name: "序号", Kind: document.NumberColumn}, {Name: "项目", Kind: document.WordColumn, Width: 12},
		{Name: "目标", Group: "计划", Kind: document.DateColumn}, {Name: "预计", Group: "计划", Kind: document.DateColumn}, {Name: "亮灯", Kind: document.LightColumn}}}
	for i := range 50 {
		table.Rows = append(table.Rows, document.Row{Strong: i == 49, Cells: []document.Cell{{Text: fmt.Sprint(i)}, {Text: "年产10万台新能源汽车零部件项目"}, {Text: "2025-10-31"}, {Text: "2025-12-31"},
			{Text: "红", Light: schemas.Red}}})
	}
	labels := []string{"博爱县", "城乡一体化示范区"}
	bars := &document.Chart{Key: "bars", Kind: document.StackedBars, Title: "节点", Unit: "个", Alt: "替代文字", Labels: labels, Series: []document.Series{
		{Name: "按期", Panel: "落地", Values: []*schemas.Figure{figure(3, 0), nil}}, {Name: "按期", Panel: "开工", Values: []*schemas.Figure{figure(0, 0), figure(1, 0)}}}}
	grouped := &document.Chart{Key: "grouped", Kind: document.GroupedBars, Title: "投资", Unit: "%", Alt: "替代", Labels: labels,
		Series: []document.Series{{Name: "完成率", Values: []*schemas.Figure{figure(448, 1), figure(31, 1)}}}, Reference: &document.Reference{Name: "时序进度", Value: figure(833, 1)}}
	lines := &document.Chart{Key: "lines", Kind: document.Lines, Title: "趋势", Alt: "替代", Labels: labels, Series: []document.Series{{Name: "落地", Light: schemas.Green, Values: []*schemas.Figure{figure(1, 0), nil}}}}
	lights := &document.Chart{Key: "lights", Kind: document.LightMatrix, Title: "亮灯", Alt: "替代", Columns: []string{"红", "绿"},
		Matrix: []document.MatrixRow{{Label: "博爱县", Cells: []document.MatrixCell{{Light: schemas.Red, Text: "9"}, {}}}}}
	october := schemas.NewDate(2025, 10, 31)
	timeline := &document.Chart{Key: "timeline", Kind: document.Timeline, Title: "计划与实际", Alt: "替代", From: october - 100, To: october, Today: october,
		Timeline: []document.TimelineRow{{Label: "项目甲", Points: []document.TimelinePoint{{Name: "落地", Target: october - 30, Reached: october - 20}, {Name: "开工", Target: october - 5}, {Name: "投产", Target: october + 9}}}}}
	return &document.Document{Edition: document.Official, Name: "bulletin-2025-10-official", Title: []string{"2025年10月", "重大项目进展情况通报"}, Number: "第10期", Facts: []string{"数据截至2025年10月31日"},
		Head: &document.Head{Mark: "市重大项目建设工作领导小组办公室文件", Reference: "某重点〔2025〕10号", Addressees: "各县（市）区人民政府"},
		Sections: []document.Section{{Key: "overview", Heading: "一、总体情况", Blocks: []document.Block{&document.Heading{Level: 2, Text: "（一）节点"},
			&document.Paragraph{Text: document.Text{{Text: "共"}, {Text: "118个", Strong: true, Figure: "totals/projects"}}}, &document.Paragraph{Text: document.Words("注"), Note: true},
			&document.List{Items: []document.Text{document.Words("甲"), document.Words("乙")}, Numbered: true}, table, &document.Table{Columns: table.Columns}}}},
		Annexes: []document.Annex{{Key: "a", Label: "附件1", Title: "明细", Landscape: true, Blocks: []document.Block{table}}, {Key: "b", Label: "附件2", Title: "续表", Landscape: true, Blocks: []document.Block{table}},
			{Key: "c", Label: "附件3", Title: "图表", Blocks: []document.Block{bars, grouped, lines, lights, timeline, &document.Heading{Level: 3, Text: "1. 页", NewPage: true}}}},
		Signature: &document.Signature{Body: "市重大项目建设工作领导小组办公室", Day: "2025年11月12日", Contact: "联系人：某某"},
		Imprint:   &document.Imprint{Copies: "市委办公室", Body: "市重大项目办", Day: "2025年11月12日"}}
}

func write(t testing.TB, doc *document.Document) ([]byte, map[string]string) {
	t.Helper()
	var b bytes.Buffer
	if _, err := Write(&b, doc); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, file := range archive.File {
		content, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		parts[file.Name] = string(text)
	}
	return b.Bytes(), parts
}

// example composes a real bulletin of the city.
func example(t testing.TB) *document.Document {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "city.json"))
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Model    *schemas.Bulletin `json:"model"`
		Projects map[string]string `json:"projects"`
	}
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	doc, err := render.Bulletin(read.Model, render.Names{Rules: schemas.DefaultRules(), Projects: read.Projects})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
