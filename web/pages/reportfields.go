package pages

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"milepost/schemas"
)

// option is a choice of a list.
type option struct{ Value, Name string }

// shownField is a field as a template draws it.
type shownField struct {
	ID, Name, Label, Hint string
	Control               string // input, select, area, flag or files
	Type, Mode            string // of an input
	Value                 string
	Required, Wide        bool
	Max                   int
	List                  string
	Options               []option
	Kept                  []StoredFile // uploaded before
	Wrong                 *schemas.Error
}

// Lengths of inputs, as the schemas have them.
const (
	longestName = 300
	longestText = 4000
)

// planYears is for how many years plans can be filled in, from this one on.
const planYears = 3

func yearsOfPlans(today schemas.Date) []int {
	var years []int
	for i := range planYears {
		years = append(years, today.Year()+i)
	}
	return years
}

// inputs gives the names of the field's inputs: most have one.
func (f *formField) inputs(today schemas.Date) []string {
	switch f.Kind {
	case inputPlans:
		var names []string
		for _, year := range yearsOfPlans(today) {
			names = append(names, f.Name+"."+strconv.Itoa(year))
		}
		return names
	case inputEvidence:
		return []string{f.Name, f.Name + "_note"}
	}
	return []string{f.Name}
}

// show draws the field with what was given.
func (c *reportContent) show(f *formField) []shownField {
	one := shownField{ID: "f-" + strings.ReplaceAll(f.Name, ".", "-"), Name: f.Name, Label: f.Label, Hint: f.Hint, Control: "input", Type: "text", Value: c.Given[f.Name], Required: f.Required, Max: longestName, List: f.List, Wrong: c.Wrong[f.Name]}
	choose := func(options ...option) {
		one.Control, one.Options = "select", options
		if !f.Required || one.Value == "" {
			one.Options = append([]option{{"", "请选择"}}, options...)
		}
	}
	switch f.Kind {
	case inputText:
		one.Control, one.Wide, one.Max = "area", true, longestText
	case inputDate:
		one.Type = "date"
		if _, given := c.Given[f.Name]; !given && f.Today {
			one.Value = c.Today.String()
		}
	case inputMoney, inputNumber:
		one.Mode, one.Max = "decimal", 20
	case inputFlag:
		one.Control = "flag"
	case inputWithheld:
		one.Control, one.Options = "select", []option{{"", "不变"}, {"true", "不公开，不列入媒体版"}, {"false", "公开"}}
	case inputTags:
		one.Max = longestText
	case inputMilestone:
		choose(milestoneOptions()...)
	case inputCategory:
		var options []option
		for _, word := range schemas.IssueCategories() {
			options = append(options, option{word, categoryNames[word]})
		}
		choose(options...)
	case inputDistrict:
		var options []option
		for _, d := range c.districts {
			options = append(options, option{d.Code, d.Name})
		}
		choose(options...)
	case inputRow:
		choose(option{"district", "县(市)区"}, option{"department", "市直部门"}, option{"lead", "市级领导"})
	case inputPlans:
		var years []shownField
		for i, year := range yearsOfPlans(c.Today) {
			name := f.inputs(c.Today)[i]
			field := shownField{ID: fmt.Sprintf("%s-%d", one.ID, year), Name: name, Label: fmt.Sprintf("%d 年计划（万元）", year), Control: "input", Type: "text", Mode: "decimal", Max: 20, Value: c.Given[name], Wrong: c.Wrong[name]}
			if i == 0 {
				field.Hint = f.Hint
			}
			years = append(years, field)
		}
		return years
	case inputEvidence:
		files := one
		files.Control, files.Wide, files.Hint, files.Kept, files.Value = "files", true, evidenceHint, c.kept, ""
		address := shownField{ID: one.ID + "-uri", Name: f.Name, Label: "或填写佐证网址", Control: "input", Type: "text", Max: 2000, Value: c.Given[f.Name], Wide: true}
		note := shownField{ID: one.ID + "-note", Name: f.Name + "_note", Label: "佐证说明", Control: "input", Type: "text", Max: longestText, Value: c.Given[f.Name+"_note"], Wide: true}
		return []shownField{files, address, note}
	}
	one.Wide = one.Wide || f.Name == "name" || f.Name == "title"
	return []shownField{one}
}

func milestoneOptions() []option {
	var options []option
	for _, m := range schemas.Milestones() {
		options = append(options, option{m.String(), milestoneName(m)})
	}
	return options
}

// data makes the members of the event's data that were filled in.
func (c *reportContent) data(fields []formField) map[string]any {
	data := map[string]any{}
	for _, f := range fields {
		switch f.Kind {
		case inputEvidence:
			if list := c.evidence(f.Name); len(list) > 0 {
				data[f.Name] = list
			}
		default:
			for _, name := range f.inputs(c.Today) {
				if value := f.value(c.Given[name]); value != nil {
					put(data, name, value)
				}
			}
		}
	}
	return data
}

// value makes the member of what was filled in; nil is as not given.
func (f *formField) value(given string) any {
	if given == "" {
		return nil
	}
	switch f.Kind {
	case inputMoney, inputNumber, inputPlans:
		if plain := plainNumber(strings.ReplaceAll(given, "−", "-")); plain != "" {
			return number(plain)
		}
		return nil
	case inputFlag, inputWithheld:
		return given == "true"
	case inputTags:
		tags := strings.FieldsFunc(given, func(c rune) bool { return strings.ContainsRune("、，,；;", c) })
		for i := range tags {
			tags[i] = strings.TrimSpace(tags[i])
		}
		return slices.DeleteFunc(tags, func(tag string) bool { return tag == "" })
	}
	return given
}

// put sets a member by its path.
func put(data map[string]any, path string, value any) {
	for {
		head, rest, nested := strings.Cut(path, ".")
		if !nested {
			data[head] = value
			return
		}
		inner, ok := data[head].(map[string]any)
		if !ok {
			inner = map[string]any{}
			data[head] = inner
		}
		data, path = inner, rest
	}
}

// evidence lists the proofs: the files that were uploaded and the address.
func (c *reportContent) evidence(name string) []any {
	var list []any
	note := c.Given[name+"_note"]
	for _, file := range c.kept {
		said := file.Name
		if note != "" {
			said = note + "（" + file.Name + "）"
		}
		list = append(list, map[string]string{"uri": evidencePath + file.SHA256, "sha256": file.SHA256, "note": said})
	}
	if uri := c.Given[name]; uri != "" {
		proof := map[string]string{"uri": uri}
		if note != "" {
			proof["note"] = note
		}
		list = append(list, proof)
	}
	return list
}

// fieldOf gives the input that an event's field was made from; empty for what
// the whole form is told.
func fieldOf(fields []formField, today schemas.Date, field string) string {
	if field == "subject" {
		return field
	}
	path, ok := strings.CutPrefix(field, "data.")
	if !ok {
		return ""
	}
	for _, f := range fields {
		for _, name := range f.inputs(today) {
			if name == path {
				return name
			}
		}
	}
	head, _, _ := strings.Cut(path, "[")
	head, _, _ = strings.Cut(head, ".")
	for _, f := range fields {
		if f.Name == head {
			return f.inputs(today)[0]
		}
	}
	return ""
}
