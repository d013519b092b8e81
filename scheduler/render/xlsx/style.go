package xlsx

import "github.com/xuri/excelize/v2"

// kind says what the cells of a column hold, and so how they are set.
type kind uint8

const (
	words    kind = iota // text at the left, on as many lines as it needs
	code                 // an id or a short word, in the middle
	count                // a whole number
	money                // 万元
	percent              // per cent, kept as a share of 1
	points               // a score with two decimals
	share                // a fraction with four decimals
	distance             // percentage points with their sign
	change               // places won or lost in a ranking
	days                 // days from a target with their sign
	day                  // a calendar day
	light                // 亮灯
	kinds                // how many there are
)

const (
	textFont    = "宋体"
	headingFont = "黑体"
	textSize    = 10
)

// formats are the number formats by kind; text has none.
func format(k kind) string {
	switch k {
	case count:
		return "#,##0"
	case money:
		return "#,##0.00"
	case percent:
		return "0.0%"
	case points:
		return "0.00"
	case share:
		return "0.0000"
	case distance:
		return "+0.0;-0.0;0.0"
	case change:
		return `"↑"0;"↓"0;"持平"`
	case days:
		return "+0;-0;0"
	case day:
		return "yyyy-mm-dd"
	}
	return ""
}

type styles struct {
	cell, strong [kinds]int
	title        int
	note         int
	heading      int // of a column
	block        int // of a table within a sheet
	lights       map[string]int
	alarm        int
}

func newStyles(f *excelize.File) (*styles, error) {
	made := &styles{lights: map[string]int{}}
	var failed error
	style := func(s *excelize.Style) int {
		id, err := f.NewStyle(s)
		if err != nil && failed == nil {
			failed = err
		}
		return id
	}
	edge := []excelize.Border{}
	for _, side := range []string{"left", "top", "right", "bottom"} {
		edge = append(edge, excelize.Border{Type: side, Style: 1, Color: "A6A6A6"})
	}
	for k := range kinds {
		s := excelize.Style{Border: edge, Font: &excelize.Font{Family: textFont, Size: textSize}, Alignment: alignment(k)}
		if text := format(k); text != "" {
			s.CustomNumFmt = &text
		}
		made.cell[k] = style(&s)
		s.Font = &excelize.Font{Family: textFont, Size: textSize, Bold: true}
		s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"F2F2F2"}}
		made.strong[k] = style(&s)
	}
	made.title = style(&excelize.Style{Font: &excelize.Font{Family: headingFont, Size: 16}, Alignment: &excelize.Alignment{Vertical: "center"}})
	made.note = style(&excelize.Style{Font: &excelize.Font{Family: textFont, Size: textSize, Color: "595959"}, Alignment: &excelize.Alignment{Vertical: "center"}})
	made.block = style(&excelize.Style{Font: &excelize.Font{Family: headingFont, Size: 12}, Alignment: &excelize.Alignment{Vertical: "center"}})
	made.heading = style(&excelize.Style{Border: edge, Font: &excelize.Font{Family: headingFont, Size: textSize, Bold: true},
		Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"D9E1F2"}},
		Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}})
	conditional := func(fill, font string) int {
		id, err := f.NewConditionalStyle(&excelize.Style{Font: &excelize.Font{Color: font, Bold: true},
			Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{fill}}})
		if err != nil && failed == nil {
			failed = err
		}
		return id
	}
	made.lights["绿"] = conditional("C6EFCE", "006100")
	made.lights["黄"] = conditional("FFEB9C", "7F6000")
	made.lights["红"] = conditional("FFC7CE", "9C0006")
	made.lights["灰"] = conditional("D9D9D9", "404040")
	made.alarm = conditional("FFC7CE", "9C0006")
	return made, failed
}

func alignment(k kind) *excelize.Alignment {
	a := &excelize.Alignment{Vertical: "center", Horizontal: "right"}
	switch k {
	case words:
		a.Horizontal, a.WrapText, a.Indent = "left", true, 1
	case code, day, light, change:
		a.Horizontal = "center"
	}
	return a
}
