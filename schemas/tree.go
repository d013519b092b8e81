package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// parseTree reads strict JSON into maps, slices, strings, json.Number, bool
// and nil, as a JSON Schema wants it. It stands on another reader than the
// typed validator, so that the two can be held against each other.
func parseTree(raw []byte) (any, *Error) {
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	value, err := treeValue(d)
	if err != nil {
		return nil, err
	}
	if _, end := d.ReadToken(); !errors.Is(end, io.EOF) {
		return nil, notJSON(end)
	}
	return value, nil
}

func notJSON(err error) *Error {
	e := &Error{Code: Malformed, Message: "not JSON", Hint: "send one JSON object in UTF-8", Err: err}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		e.Message, e.Hint = "a member is given twice", "give every member once"
	}
	return e
}

func treeValue(d *jsontext.Decoder) (any, *Error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, notJSON(err)
	}
	if d.StackDepth() > maxDepth {
		return nil, tooDeep()
	}
	switch token.Kind() {
	case '{':
		return treeObject(d)
	case '[':
		return treeArray(d)
	case '"':
		return token.String(), nil
	case '0':
		number := token.String()
		return json.Number(number), checkNumber([]byte(number))
	case 't', 'f':
		return token.Bool(), nil
	}
	return nil, nil
}

func treeObject(d *jsontext.Decoder) (any, *Error) {
	object := make(map[string]any)
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, notJSON(err)
		}
		key := name.String()
		value, bad := treeValue(d)
		if bad != nil {
			bad.Field = joinPath(Shorten(key), bad.Field)
			return nil, bad
		}
		object[key] = value
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, notJSON(err)
	}
	return object, nil
}

func treeArray(d *jsontext.Decoder) (any, *Error) {
	array := []any{}
	for d.PeekKind() != ']' {
		value, bad := treeValue(d)
		if bad != nil {
			bad.Field = joinPath("["+strconv.Itoa(len(array))+"]", bad.Field)
			return nil, bad
		}
		array = append(array, value)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, notJSON(err)
	}
	return array, nil
}
