package settings

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"milepost/deploy/access"
	"milepost/schemas"
)

// Finding is something wrong with a configuration file, with its place.
type Finding struct {
	Line   int `json:"line,omitempty"` // 0 when it is nowhere in the file
	Column int `json:"column,omitempty"`
	*schemas.Error
}

// Report is everything that is wrong with a configuration file.
type Report struct {
	Findings []Finding `json:"findings"`
	config   Config
	places   map[string]place // of keys, by path
}

type place struct{ line, column int }

// MaxBytes bounds a configuration file.
const MaxBytes = 4 << 20

// CheckText reads a configuration's text to the end, whatever is wrong with it, and lists everything: keys that do not
// exist, values that do not read, values that cannot be, files that are not there.
func CheckText(text []byte) *Report {
	r := &Report{places: map[string]place{}}
	if len(text) > MaxBytes {
		r.add("", place{}, &schemas.Error{Code: schemas.TooLarge, Message: "the file is too large for a configuration", Hint: fmt.Sprintf("at most %d bytes", MaxBytes)})
		return r
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		r.yamlError("", place{}, err)
		return r
	}
	for _, document := range file.Docs {
		if document.Body != nil {
			r.walk(document.Body, reflect.ValueOf(&r.config).Elem(), "")
		}
	}
	r.judge()
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
	return r
}

// judge asks what a server would say of what could be read.
func (r *Report) judge() {
	full := r.config.WithDefaults()
	for _, err := range Each(full.Check()) {
		r.semantic(err)
	}
	if _, err := full.AnalystPassword(); err != nil {
		r.semantic(err)
	}
	if full.TLSCert != "" && full.TLSKey != "" {
		if _, err := access.TLSConfig(full.TLSCert, full.TLSKey, time.Now, slog.New(slog.DiscardHandler)); err != nil {
			r.semantic(err)
		}
	}
	if full.NATSCreds != "" {
		if _, err := os.Stat(full.NATSCreds); err != nil {
			r.semantic(&schemas.Error{Code: schemas.Invalid, Field: "nats_creds", Value: full.NATSCreds, Message: "the credentials cannot be read", Hint: "check the path and who may read it", Err: err})
		}
	}
}

// Each takes joined errors apart.
func Each(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, Each(one)...)
		}
		return all
	}
	return []error{err}
}

func (r *Report) semantic(err error) {
	var e *schemas.Error
	if !errors.As(err, &e) {
		e = &schemas.Error{Code: schemas.Invalid, Message: err.Error()}
	}
	// What did not read was told already, and says nothing of its meaning.
	at := r.placeOf(e.Field)
	if at.line > 0 && slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Field == e.Field && f.Line == at.line }) {
		return
	}
	r.Findings = append(r.Findings, Finding{at.line, at.column, e})
}

// placeOf gives the place of the key, or of what it would be in.
func (r *Report) placeOf(field string) place {
	for path := field; path != ""; {
		if at, there := r.places[path]; there {
			return at
		}
		end := strings.LastIndexAny(path, ".[")
		if end < 0 {
			break
		}
		path = path[:end]
	}
	return place{}
}

func (r *Report) add(path string, at place, e *schemas.Error) {
	e.Field = path
	r.Findings = append(r.Findings, Finding{at.line, at.column, e})
}

// yamlError takes the place from what the library says.
func (r *Report) yamlError(path string, at place, err error) {
	var located yaml.Error
	message := oneLine(err)
	if errors.As(err, &located) && located.GetToken() != nil {
		position := located.GetToken().Position
		at = place{position.Line, position.Column}
		message = located.GetMessage()
	}
	r.add(path, at, &schemas.Error{Code: schemas.Invalid, Message: "does not read: " + message, Hint: "see the commented sample, milepost.yaml"})
}

func placeAt(node ast.Node) place {
	if node == nil || node.GetToken() == nil {
		return place{}
	}
	position := node.GetToken().Position
	return place{position.Line, position.Column}
}

// walk reads a node into a value, part by part, so that one mistake does not hide the next.
func (r *Report) walk(node ast.Node, into reflect.Value, path string) {
	switch n := node.(type) {
	case *ast.NullNode, *ast.CommentGroupNode:
		return
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		r.leaf(node, into, path)
		return
	case *ast.MappingValueNode:
		r.mapping([]*ast.MappingValueNode{n}, into, path)
		return
	case *ast.MappingNode:
		r.mapping(n.Values, into, path)
		return
	case *ast.SequenceNode:
		if t := pointedTo(into.Type()); t.Kind() == reflect.Slice && !isLeaf(t) {
			list := reflect.MakeSlice(t, len(n.Values), len(n.Values))
			for i, item := range n.Values {
				at := fmt.Sprintf("%s[%d]", path, i)
				r.places[at] = placeAt(item)
				r.walk(item, list.Index(i), at)
			}
			bare(into).Set(list)
			return
		}
	}
	r.leaf(node, into, path)
}

// pointedTo gives what a type points to at last; the YAML library reads nothing into pointers.
func pointedTo(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// bare follows pointers, and makes what they point to.
func bare(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	return v
}

func (r *Report) mapping(pairs []*ast.MappingValueNode, into reflect.Value, path string) {
	if t := pointedTo(into.Type()); isLeaf(t) || t.Kind() != reflect.Struct && t.Kind() != reflect.Map {
		if len(pairs) > 0 {
			r.add(path, placeAt(pairs[0].Key), &schemas.Error{Code: schemas.Invalid, Message: "does not read: keys where there should be a value", Hint: "it takes: " + takes(t)})
		}
		return
	}
	target := bare(into)
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		at := strings.TrimPrefix(path+"."+key, ".")
		r.places[at] = placeAt(pair.Key)
		if target.Kind() == reflect.Map {
			r.entry(pair, target, at, key)
			continue
		}
		field, known := fieldOf(target, key)
		if !known {
			r.add(at, placeAt(pair.Key), &schemas.Error{Code: schemas.Invalid, Message: "no such key", Hint: nearestHint(key, keysOf(target.Type()))})
			continue
		}
		r.walk(pair.Value, field, at)
	}
}

// entry reads an entry of a map.
func (r *Report) entry(pair *ast.MappingValueNode, into reflect.Value, path, key string) {
	if into.IsNil() {
		into.Set(reflect.MakeMap(into.Type()))
	}
	name := reflect.New(into.Type().Key()).Elem()
	if name.Kind() == reflect.String {
		name.SetString(key)
	} else if number, err := strconv.Atoi(key); err == nil && name.CanInt() {
		name.SetInt(int64(number))
	} else {
		r.add(path, placeAt(pair.Key), &schemas.Error{Code: schemas.Invalid, Message: "not a number", Hint: "write a number as the key"})
		return
	}
	value := reflect.New(into.Type().Elem()).Elem()
	r.walk(pair.Value, value, path)
	into.SetMapIndex(name, value)
}

func (r *Report) leaf(node ast.Node, into reflect.Value, path string) {
	fresh := reflect.New(pointedTo(into.Type()))
	if err := yaml.NodeToValue(node, fresh.Interface(), yaml.Strict()); err != nil {
		r.yamlError(path, placeAt(node), err)
		return
	}
	bare(into).Set(fresh.Elem())
}

// fieldOf gives the field with the key, also of inlined structs.
func fieldOf(v reflect.Value, key string) (reflect.Value, bool) {
	for i := range v.NumField() {
		name, inline, skip := yamlKey(v.Type().Field(i))
		switch {
		case skip:
		case inline:
			if field, known := fieldOf(v.Field(i), key); known {
				return field, true
			}
		case name == key:
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func keysOf(t reflect.Type) (keys []string) {
	for i := range t.NumField() {
		name, inline, skip := yamlKey(t.Field(i))
		switch {
		case skip:
		case inline:
			keys = append(keys, keysOf(t.Field(i).Type)...)
		default:
			keys = append(keys, name)
		}
	}
	return keys
}

// nearestHint names the key that was perhaps meant.
func nearestHint(given string, known []string) string {
	best, distance := "", len(given)/2+1
	for _, key := range known {
		if d := editDistance(given, key); d < distance {
			best, distance = key, d
		}
	}
	if best == "" {
		return "see milepost config options"
	}
	return "perhaps " + best
}

// editDistance counts the insertions, deletions and replacements between two keys.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
