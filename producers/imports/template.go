package imports

import (
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

// The template is known by a name in the workbook whose text says its version
// and its sender; it stays when a person saves the file under another name.
const (
	templateName    = "Milepost_Template"
	templateVersion = 1
)

//go:embed template.yaml
var templateYAML string

// TemplateMapping gives the mapping (YAML) of the template of a sender, which
// is the code of a district or "city". An empty source is the sender's office:
// /offices/CODE.
func TemplateMapping(sender, source string) []byte {
	if source == "" {
		source = "/offices/" + sender
	}
	return []byte(strings.NewReplacer("{{source}}", strconv.Quote(source), "{{sender}}", strconv.Quote(sender)).Replace(templateYAML))
}

// Template is the workbook in which an office keeps its 台账.
type Template struct {
	// Rules give the lists of districts, departments and leads.
	Rules *schemas.Rules
	// Sender is the district whose office keeps the sheet; by default "city".
	Sender string
	// On is the date that the sheet begins with.
	On schemas.Date
}

// templateColumn is a column of a sheet of the template.
type templateColumn struct {
	name     string
	group    string
	width    float64
	kind     columnKind
	list     string // of the sheet of lists
	closed   bool   // only what the list has
	required bool
	rule     string // what to write, for the note and the page of explanations
	example  string
}

type columnKind uint8

const (
	textColumn columnKind = iota
	wideColumn            // text that wraps
	dateColumn
	amountColumn
)

const (
	ledgerSheet = "台账"
	issueSheet  = "问题"
	guideSheet  = "填表说明"
	listSheet   = "选项"

	titleRow, dateRow, groupRow, headRow = 1, 2, 3, 4
	// styledRows have borders; what stands below is formatted all the same.
	styledRows = 200
	// checkedRows have drop-down lists and checks.
	checkedRows = 5000
)

const dateRule = "写成日期,如 2026-03-05(2026/3/5、2026年3月5日、2026.3.5 也可)。"

// columns lists the columns of the sheet of projects.
func (t *Template) columns() []templateColumn {
	month := "可只写年月(2026年3月),按当月最后一天计。"
	columns := []templateColumn{
		{"项目编号", "项目基本情况", 13, textColumn, "", false, true, "项目的固定编号,由字母、数字、- 和 _ 组成,64 位以内。报送后不得更改;按文本保存,前导零保留。", "P-0012"},
		{"项目名称", "项目基本情况", 30, wideColumn, "", false, true, "项目全称,300 字以内。", "年产20万台电机项目"},
		{"建设单位", "项目基本情况", 24, wideColumn, "", false, false, "投资建设的企业。", "企业12有限公司"},
		{"行业", "项目基本情况", 13, textColumn, "", false, false, "行业名称。", "装备制造"},
		{"标签", "项目基本情况", 16, wideColumn, "", false, false, "分类标签,多个用顿号隔开。", "省重点、专精特新"},
		{"县(市)区", "项目基本情况", 15, textColumn, "县(市)区", true, t.Sender == schemas.CityDistrict, "从下拉列表中选。县(市)区单位报送时须为本地。", ""},
		{"市级领导", "项目基本情况", 12, textColumn, "市级领导", t.Rules.LeadsClosed, false, "包联该项目的市级领导,一个项目一名;与责任单位同时填写。", "领导甲"},
		{"责任单位", "项目基本情况", 20, textColumn, "责任单位", t.Rules.DepartmentsClosed, false, "包联该项目的市直部门,一个项目一个;与市级领导同时填写。", "市工业和信息化局"},
		{"登记日期", "项目基本情况", 13, dateColumn, "", false, false, "项目列入台账的日期;空白为首次报送时的数据截止日期。" + dateRule, "2026-01-08"},
		{"总投资(万元)", "投资(万元)", 15, amountColumn, "", false, true, "计划总投资。单位写在列名括号内,可改为(亿元);单元格也可自带单位,如 1.2亿元。", "36000"},
		{"本年计划投资(万元)", "投资(万元)", 15, amountColumn, "", false, false, "数据截止日期所在年度的计划投资。年度开始后,县(市)区单位不得调低。", "12000"},
	}
	for _, m := range []string{"落地", "开工", "投产"} {
		columns = append(columns,
			templateColumn{m + "计划日期", m, 13, dateColumn, "", false, false, "经批准的" + m + "时间。首次报送的为基准;之后只有市级单位报送的改动算作批准,县(市)区单位的改动按未批准的计划处理。" + month, "2026-03-31"},
			templateColumn{m + "预计日期", m, 13, dateColumn, "", false, false, "目前预计的" + m + "时间,与计划不同时填写。" + month, "2026-04-20"},
			templateColumn{m + "实际日期", m, 13, dateColumn, "", false, false, "实际" + m + "的日期,不得晚于数据截止日期;尚未" + m + "的留空。" + dateRule, "2026-04-18"},
		)
	}
	return append(columns,
		templateColumn{"本月累计投资(万元)", "本年进度", 15, amountColumn, "", false, false, "本年 1 月至数据截止日期当月累计完成的投资;也可写占本年计划的百分比,如 85%。未完成填 0,不报留空。", "3200"},
		templateColumn{"形象进度", "本年进度", 40, wideColumn, "", false, false, "工程进展的文字说明,随累计投资一并报送。", "主体厂房封顶"},
	)
}

func (t *Template) issueColumns() []templateColumn {
	return []templateColumn{
		{"项目编号", "", 13, textColumn, "", false, true, "与“台账”中的项目编号一致。", "P-0012"},
		{"问题编号", "", 12, textColumn, "", false, true, "在本项目内不重复,报送后不得更改。", "1"},
		{"问题内容", "", 40, wideColumn, "", false, true, "需要协调解决的问题,300 字以内。", "用地指标不足"},
		{"类别", "", 12, textColumn, "类别", true, true, "从下拉列表中选:用地、资金、审批、环评、水电气、用工、其他。", "用地"},
		{"责任单位", "", 22, textColumn, "责任单位", t.Rules.DepartmentsClosed, true, "负责解决的单位。", "市自然资源和规划局"},
		{"提出日期", "", 13, dateColumn, "", false, true, "问题提出的日期。" + dateRule, "2026-02-10"},
		{"解决期限", "", 13, dateColumn, "", false, true, "限时解决的最后日期,不早于提出日期。", "2026-03-31"},
		{"销号日期", "", 13, dateColumn, "", false, false, "问题解决的日期;未解决的留空。", "2026-03-20"},
		{"解决情况", "", 40, wideColumn, "", false, false, "解决的办法和结果。", "已落实指标 80 亩"},
	}
}

// title is that of the sheet of projects.
func (t *Template) title() string {
	if t.Sender == schemas.CityDistrict {
		return "市重大项目台账"
	}
	return t.Rules.DistrictName(t.Sender) + "重大项目台账"
}

// lists gives the drop-down lists, by their name.
func (t *Template) lists() []templateList {
	var districts []string
	for _, d := range t.Rules.Districts {
		if t.Sender == schemas.CityDistrict || t.Sender == d.Code {
			districts = append(districts, d.Name)
		}
	}
	names := func(d schemas.Directory) (names []string) {
		for _, e := range d.Entries() {
			if e.ValidOn(t.On) {
				names = append(names, e.Name)
			}
		}
		return names
	}
	return []templateList{
		{"县(市)区", districts}, {"市级领导", names(t.Rules.Leads)}, {"责任单位", names(t.Rules.Departments)},
		{"类别", []string{"用地", "资金", "审批", "环评", "水电气", "用工", "其他"}},
	}
}

type templateList struct {
	name  string
	words []string
}

// Write writes the workbook. The error is Unknown for a sender that is no
// configured district, or of the writer.
func (t Template) Write(w io.Writer) error {
	if t.Sender == "" {
		t.Sender = schemas.CityDistrict
	}
	if !t.Rules.KnownDistrict(t.Sender) {
		return &schemas.Error{Code: schemas.Unknown, Field: "district", Value: schemas.Shorten(t.Sender), Message: "no configured district", Hint: "one of " + strings.Join(t.Rules.DistrictCodes(), ", ")}
	}
	b, err := newTemplateBook(&t)
	if err != nil {
		return err
	}
	defer b.file.Close()
	for _, step := range []func() error{b.writeLists, b.writeLedger, b.writeIssues, b.writeGuide, b.finish} {
		if err := step(); err != nil {
			return fmt.Errorf("the template cannot be written: %w", err)
		}
	}
	return b.file.Write(w, excelize.Options{})
}

// templateMark is what a workbook says of the template that it was made of.
type templateMark struct {
	version int
	sender  string
}

// text is the mark as a name of a workbook carries it.
func (m templateMark) text() string {
	return fmt.Sprintf(`"milepost-ledger %d %s"`, m.version, m.sender)
}

func parseTemplateMark(text string) (templateMark, bool) {
	var m templateMark
	n, err := fmt.Sscanf(strings.Trim(text, `"=`), "milepost-ledger %d %s", &m.version, &m.sender)
	return m, err == nil && n == 2
}
