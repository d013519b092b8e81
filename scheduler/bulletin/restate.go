package bulletin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"milepost/schemas"
)

// Restate lists the differences (数据修订) between a published model and the
// model of the same period now, by path in code-point order. A path names rows
// by key, projects by id and milestones by name, never by position:
// groups/district/county/xiuwu/score, lagging/P-0012/light,
// reached/P-0012/started/reached_on. A row or project that only one side has is
// one difference, with null for the other side. "~" and "/" within a key are
// written ~0 and ~1, as in a JSON pointer.
func Restate(published, now *schemas.Bulletin) ([]schemas.Restatement, error) {
	before, err := contentOf(published)
	if err != nil {
		return nil, err
	}
	after, err := contentOf(now)
	if err != nil {
		return nil, err
	}
	d := difference{found: []schemas.Restatement{}}
	d.members("", before, after)
	if d.err != nil {
		return nil, fmt.Errorf("restatements of %s: %w", published.Period, d.err)
	}
	slices.SortFunc(d.found, func(a, b schemas.Restatement) int { return strings.Compare(a.Path, b.Path) })
	return d.found, nil
}

type members map[string]json.RawMessage

// contentOf gives the model's members but for those that say which edition it
// is: two editions of one period always differ in them.
func contentOf(model *schemas.Bulletin) (members, error) {
	text, err := json.Marshal(model)
	if err != nil {
		return nil, fmt.Errorf("restatements of %s: %w", model.Period, err)
	}
	var m members
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("restatements of %s: %w", model.Period, err)
	}
	for _, name := range []string{"kind", "period", "period_start", "period_end", "known_seq", "issue_no", "title", "restatements"} {
		delete(m, name)
	}
	return m, nil
}

type difference struct {
	found []schemas.Restatement
	err   error
}

func (d *difference) members(path string, before, after members) {
	for name, value := range before {
		d.value(join(path, name), value, after[name])
	}
	for name, value := range after {
		if _, known := before[name]; !known {
			d.value(join(path, name), nil, value)
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}

// value compares two values of one path; nil is absent and shown as null.
func (d *difference) value(path string, before, after json.RawMessage) {
	switch {
	case bytes.Equal(before, after):
	case startsWith(before, '{') && startsWith(after, '{'):
		d.members(path, d.object(before), d.object(after))
	case path == "groups":
		d.members(path, d.rows(before), d.rows(after))
	case startsWith(before, '[') && startsWith(after, '['):
		d.members(path, d.keyed(path, before), d.keyed(path, after))
	default:
		d.found = append(d.found, schemas.Restatement{Path: path, Published: orNull(before), Now: orNull(after)})
	}
}

func startsWith(value json.RawMessage, first byte) bool { return len(value) > 0 && value[0] == first }

func orNull(value json.RawMessage) json.RawMessage {
	if value == nil {
		return json.RawMessage("null")
	}
	return value
}

func (d *difference) object(text json.RawMessage) members {
	var m members
	d.decode(text, &m)
	return m
}

func (d *difference) decode(text json.RawMessage, into any) {
	if err := json.Unmarshal(text, into); err != nil && d.err == nil {
		d.err = err
	}
}

// rows gives all rows of all groups by kind/group/key, so that a row of a group
// that is new is told like a row that is new.
func (d *difference) rows(text json.RawMessage) members {
	var groups []struct {
		Kind  string            `json:"kind"`
		Group *string           `json:"group"`
		Rows  []json.RawMessage `json:"rows"`
	}
	d.decode(text, &groups)
	all := members{}
	for _, g := range groups {
		path := groupPath(&schemas.RankedGroup{Kind: g.Kind, Group: g.Group})
		for _, row := range g.Rows {
			var named struct {
				Key string `json:"key"`
			}
			d.decode(row, &named)
			all[path+"/"+schemas.PathPart(named.Key)] = row
		}
	}
	return all
}

// keyed gives the elements of a list by project id, and by milestone where a
// project may stand in the list once for each.
func (d *difference) keyed(path string, text json.RawMessage) members {
	var list []json.RawMessage
	d.decode(text, &list)
	all := make(members, len(list))
	for _, element := range list {
		if startsWith(element, '"') {
			var id string
			d.decode(element, &id)
			all[schemas.PathPart(id)] = element
			continue
		}
		var named struct {
			ProjectID string `json:"project_id"`
			Milestone string `json:"milestone"`
		}
		d.decode(element, &named)
		key := schemas.PathPart(named.ProjectID)
		if path == "reached" || path == "upcoming" {
			key += "/" + named.Milestone
		}
		all[key] = element
	}
	return all
}
