package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"milepost/scheduler"
	"milepost/scheduler/deliver"
	"milepost/scheduler/render/document"
	"milepost/scheduler/render/formats"
	"milepost/schemas"
)

// publishedEditions gives deliveries what was published, with its frozen files.
type publishedEditions struct{ press *press }

// Published lists the published and the withdrawn editions, the oldest first.
func (p publishedEditions) Published(ctx context.Context) ([]deliver.Edition, error) {
	list, err := p.press.desk.List(ctx)
	if err != nil {
		return nil, err
	}
	var editions []deliver.Edition
	for i := range list {
		if e, ok := deliverable(&list[i]); ok {
			editions = append(editions, e)
		}
	}
	for i := range editions {
		e := &editions[i]
		for j := range editions {
			// The latest that stands in its place.
			if other := &editions[j]; e.Withdrawal != nil && other.Kind == e.Kind && other.Period == e.Period && other.Number > e.Number && !other.Withdrawn {
				e.Withdrawal.Replacement = fmt.Sprintf("%s（%s）", other.Title, other.ID)
			}
		}
	}
	slices.SortStableFunc(editions, func(a, b deliver.Edition) int { return a.PublishedAt.Compare(b.PublishedAt) })
	return editions, nil
}

// deliverable gives the edition if it ever was published.
func deliverable(s *schemas.EditionStatus) (deliver.Edition, bool) {
	if s.Number == nil || s.PublishedAt == nil {
		return deliver.Edition{}, false
	}
	e := deliver.Edition{ID: s.ID, Kind: s.Kind, Period: s.Period, Number: *s.Number, Title: editionTitle(s), PublishedAt: *s.PublishedAt, Withdrawn: s.State == schemas.EditionWithdrawn}
	if w := s.Withdrawn; w != nil {
		e.Withdrawal = &deliver.Withdrawal{At: w.At, Reason: w.Reason}
	}
	return e, true
}

func editionTitle(s *schemas.EditionStatus) string {
	word := "通报"
	if s.Kind == schemas.AssessmentKind {
		word = "年终考核"
	}
	if s.Corrects != nil {
		word += correctionMark
	}
	return fmt.Sprintf("%s %s 第%d期", s.Period, word, *s.Number)
}

// Edition gives one; ids of other things are not found.
func (p publishedEditions) Edition(ctx context.Context, id string) (deliver.Edition, error) {
	status, _, err := p.status(ctx, id)
	if err != nil {
		return deliver.Edition{}, err
	}
	e, ok := deliverable(status)
	if !ok {
		return deliver.Edition{}, &schemas.Error{Code: schemas.NotFound, Message: "the edition is not published", Field: "id", Value: schemas.Shorten(id), Hint: "see milepost editions"}
	}
	return e, nil
}

func (p publishedEditions) status(ctx context.Context, id string) (*schemas.EditionStatus, scheduler.Subject, error) {
	subject, err := scheduler.ParseID(id)
	if err != nil || subject.ID() != id {
		return nil, subject, &schemas.Error{Code: schemas.NotFound, Message: "no such edition", Field: "id", Value: schemas.Shorten(id), Hint: "see milepost editions"}
	}
	status, err := p.press.desk.Status(ctx, subject)
	return &status, subject, err
}

// Content gives the frozen files. A format that was not published is left out;
// an edition that was published in none of them is refused.
func (p publishedEditions) Content(ctx context.Context, id, edition string, wanted []string) (*deliver.Content, error) {
	status, subject, err := p.status(ctx, id)
	if err != nil {
		return nil, err
	}
	prefix := id
	if edition == string(document.Media) {
		prefix += "-" + string(document.Media)
	}
	file := func(format string) ([]byte, bool, error) {
		name := prefix + "." + format
		if !slices.ContainsFunc(status.Files, func(f schemas.EditionFile) bool { return f.Name == name }) {
			return nil, false, nil
		}
		f, _, err := p.press.desk.File(ctx, subject, name)
		return f.Content, true, err
	}
	model, found, err := file(formats.JSON)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &schemas.Error{Code: schemas.Forbidden, Message: "there is no such edition of it", Field: "edition", Value: edition, Hint: "choose kinds for the target that have this edition, or another edition"}
	}
	content, err := keyFigures(status, model)
	if err != nil {
		return nil, err
	}
	for _, format := range wanted {
		text, found, err := file(format)
		if err != nil {
			return nil, err
		}
		if found {
			content.Files = append(content.Files, deliver.File{Name: prefix + "." + format, MediaType: mediaTypes[format], Content: text})
		}
	}
	if len(wanted) > 0 && len(content.Files) == 0 {
		return nil, &schemas.Error{Code: schemas.Forbidden, Message: "it was published in none of the target's formats", Field: "id", Value: id, Hint: "add formats to the target"}
	}
	return content, nil
}

var mediaTypes = map[string]string{
	formats.JSON: "application/json", formats.Markdown: "text/markdown; charset=utf-8", formats.HTML: "text/html; charset=utf-8", formats.PDF: "application/pdf",
	formats.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	formats.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// keyFigures reads what messages say from the frozen model.
func keyFigures(status *schemas.EditionStatus, model []byte) (*deliver.Content, error) {
	if status.Kind == schemas.AssessmentKind {
		var a schemas.Assessment
		if err := json.Unmarshal(model, &a); err != nil {
			return nil, fmt.Errorf("the model of %s does not read: %w", status.ID, err)
		}
		rows := 0
		for _, g := range a.Groups {
			rows += len(g.Rows)
		}
		return &deliver.Content{Title: editionTitle(status), Figures: []deliver.Figure{{Name: "考核年度", Value: status.Period}, {Name: "考核对象", Value: fmt.Sprintf("%d 个", rows)}}}, nil
	}
	var b schemas.Bulletin
	if err := json.Unmarshal(model, &b); err != nil {
		return nil, fmt.Errorf("the model of %s does not read: %w", status.ID, err)
	}
	started := b.Milestones.Started
	return &deliver.Content{Title: fmt.Sprintf("%s 第%d期", b.Title, *status.Number), Figures: []deliver.Figure{
		{Name: "项目总数", Value: fmt.Sprintf("%d 个", b.Totals.Projects)},
		{Name: "亮灯", Value: fmt.Sprintf("绿 %d、黄 %d、红 %d、灰 %d", b.Totals.ByLight.Green, b.Totals.ByLight.Yellow, b.Totals.ByLight.Red, b.Totals.ByLight.Grey)},
		{Name: "开工", Value: fmt.Sprintf("应开工 %d 个,已开工 %d 个,完成率 %s", started.DueToDate, started.Done, percent(started.RateToDate))},
		{Name: "投资完成率", Value: percent(b.Investment.Rate)},
		{Name: "进展缓慢或无进展", Value: fmt.Sprintf("%d 个", len(b.Lagging))},
		{Name: "本期完成节点", Value: fmt.Sprintf("%d 个", len(b.Reached))},
	}}, nil
}

func percent(f *schemas.Figure) string {
	if f == nil {
		return "-"
	}
	return f.String() + "%"
}
