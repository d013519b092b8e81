package assessment

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"milepost/schemas"
)

// Figures lists every value of the model by a path like those of a bulletin's
// figures, in code-point order: groups/district/county/xiuwu/final,
// groups/lead/领导甲/items/landed/points, unmatched_adjustments/… by event. The
// events behind the items are no figures and are left out.
func Figures(model *schemas.Assessment) ([]schemas.ModelFigure, error) {
	content := map[string]json.RawMessage{}
	put := func(path string, value any) error {
		text, err := json.Marshal(value)
		content[path] = text
		return err
	}
	for i := range model.Groups {
		g := &model.Groups[i]
		path := "groups/" + g.Kind
		if g.Group != nil {
			path += "/" + *g.Group
		}
		for j := range g.Rows {
			row := g.Rows[j]
			row.Items = slices.Clone(row.Items)
			for k := range row.Items {
				row.Items[k].Events = []schemas.EventRef{}
			}
			if err := put(path+"/"+schemas.PathPart(row.Key), row); err != nil {
				return nil, fmt.Errorf("assessment %d: %w", model.Year, err)
			}
		}
	}
	for i := range model.UnmatchedAdjustments {
		u := &model.UnmatchedAdjustments[i]
		if err := put("unmatched_adjustments/"+schemas.PathPart(schemas.EventID(u.Event.Source, u.Event.ID)), u); err != nil {
			return nil, fmt.Errorf("assessment %d: %w", model.Year, err)
		}
	}
	figures, err := schemas.ModelFigures(content, elements)
	if err != nil {
		return nil, fmt.Errorf("assessment %d: %w", model.Year, err)
	}
	return figures, nil
}

// elements gives the elements of a row's lists by name.
func elements(path string, list json.RawMessage) (map[string]json.RawMessage, error) {
	var all []json.RawMessage
	if err := json.Unmarshal(list, &all); err != nil {
		return nil, err
	}
	named := make(map[string]json.RawMessage, len(all))
	for _, element := range all {
		var name string
		var err error
		if strings.HasSuffix(path, "/items") {
			var item struct{ Item string }
			err = json.Unmarshal(element, &item)
			name = item.Item
		} else {
			err = json.Unmarshal(element, &name) // a hint
		}
		if err != nil {
			return nil, err
		}
		named[schemas.PathPart(name)] = element
	}
	return named, nil
}
