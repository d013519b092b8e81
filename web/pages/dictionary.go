package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

type relation struct {
	Name    string
	Columns []dictionaryColumn
}

type dictionaryColumn struct{ Name, Type, Chinese, English string }

// dictionaryContent is the data dictionary, or the part that was searched for.
type dictionaryContent struct {
	Find      string
	Relations []relation
	Columns   int // that were found
}

// maxFind bounds what is searched for.
const maxFind = 100

// findColumns answers GET /query/dictionary?find= with the part of the page.
func (p *Pages) findColumns(w http.ResponseWriter, r *http.Request) error {
	found, err := p.dictionary(r.Context(), r.FormValue("find"))
	if err != nil {
		return err
	}
	return p.write(w, http.StatusOK, "query", "dictionary", found)
}

// dictionary reads the documented tables and views, those of them that say what
// is searched for: by name, type or either language.
func (p *Pages) dictionary(ctx context.Context, find string) (dictionaryContent, error) {
	find = strings.TrimSpace(find)
	if len([]rune(find)) > maxFind {
		find = string([]rune(find)[:maxFind])
	}
	found := dictionaryContent{Find: find}
	out := &capped{most: maxShownBytes}
	err := p.Analyst.Query(ctx, out, "SELECT relation, name, type, chinese, english FROM data_dictionary ORDER BY relation, position", "JSONCompact")
	if err != nil {
		return found, err
	}
	var result struct{ Data [][5]string }
	if err := json.Unmarshal(out.text.Bytes(), &result); err != nil {
		return found, fmt.Errorf("the data dictionary: %w", err)
	}
	wanted := strings.ToLower(find)
	for _, row := range result.Data {
		if wanted != "" && !strings.Contains(strings.ToLower(strings.Join(row[:], "\n")), wanted) {
			continue
		}
		if last := len(found.Relations) - 1; last < 0 || found.Relations[last].Name != row[0] {
			found.Relations = append(found.Relations, relation{Name: row[0]})
		}
		last := &found.Relations[len(found.Relations)-1]
		last.Columns = append(last.Columns, dictionaryColumn{row[1], row[2], row[3], row[4]})
		found.Columns++
	}
	return found, nil
}
