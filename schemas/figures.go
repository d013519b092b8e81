package schemas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// ModelFigure is one value of a bulletin or assessment by its path, as
// restatements name it (specification §9): groups/district/county/xiuwu/score.
type ModelFigure struct {
	Path string
	// Value is JSON: a number, a text in quotes, true, false or null.
	Value json.RawMessage
}

// Number gives the digits of a value that is a number.
func (f *ModelFigure) Number() (string, bool) {
	if len(f.Value) == 0 || f.Value[0] != '-' && (f.Value[0] < '0' || f.Value[0] > '9') {
		return "", false
	}
	return string(f.Value), true
}

// ModelFigures lists the values of a model by path, in code-point order.
// content is the model's members. elements gives the elements of the list at a
// path by the last part of their path, which is a name and no position.
func ModelFigures(content map[string]json.RawMessage, elements func(path string, list json.RawMessage) (map[string]json.RawMessage, error)) ([]ModelFigure, error) {
	l := leaves{elements: elements}
	if err := l.members("", content); err != nil {
		return nil, err
	}
	slices.SortFunc(l.found, func(a, b ModelFigure) int { return strings.Compare(a.Path, b.Path) })
	return l.found, nil
}

// PathPart writes a name as one part of a path: "~" and "/" as ~0 and ~1, as in
// a JSON pointer.
func PathPart(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

type leaves struct {
	elements func(path string, list json.RawMessage) (map[string]json.RawMessage, error)
	found    []ModelFigure
}

func (l *leaves) members(path string, members map[string]json.RawMessage) error {
	if path != "" {
		path += "/"
	}
	for name, value := range members {
		if err := l.value(path+name, value); err != nil {
			return err
		}
	}
	return nil
}

func (l *leaves) value(path string, value json.RawMessage) error {
	var members map[string]json.RawMessage
	var err error
	switch {
	case len(value) == 0:
		return fmt.Errorf("figure %s has no value", path)
	case value[0] == '{':
		err = json.Unmarshal(value, &members)
	case value[0] == '[':
		members, err = l.elements(path, value)
	default:
		value, err = plainText(value)
		l.found = append(l.found, ModelFigure{Path: path, Value: value})
	}
	if err != nil {
		return fmt.Errorf("figure %s: %w", path, err)
	}
	return l.members(path, members)
}

// plainText writes <, > and & in a text as themselves, as the printed JSON
// does.
func plainText(value json.RawMessage) (json.RawMessage, error) {
	if !bytes.Contains(value, []byte(`\u00`)) {
		return value, nil
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
