package bulletin

import (
	"encoding/json"
	"fmt"

	"milepost/schemas"
)

// Figures lists every value of the model by the path that restatements give it,
// in code-point order. Left out are the members that say which edition it is,
// and the restatements, as in Restate.
func Figures(model *schemas.Bulletin) ([]schemas.ModelFigure, error) {
	content, err := contentOf(model)
	if err != nil {
		return nil, err
	}
	figures, err := schemas.ModelFigures(content, func(path string, list json.RawMessage) (map[string]json.RawMessage, error) {
		var d difference
		if path == "groups" {
			return d.rows(list), d.err
		}
		return d.keyed(path, list), d.err
	})
	if err != nil {
		return nil, fmt.Errorf("bulletin %s: %w", model.Period, err)
	}
	return figures, nil
}
