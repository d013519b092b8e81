package imports

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// fault is one thing wrong with a mapping.
type fault struct {
	line    int
	path    string
	message string
}

// document is a YAML text on its way into a struct. Scalars keep the very text
// of the file: in a table of values NO is a word, not a truth value. All faults
// are gathered.
type document struct {
	lines  map[string]int
	faults []fault
}

const maxYAMLDepth = 12

func decodeYAML(text []byte, into any) *document {
	d := &document{lines: map[string]int{}}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		line := 0
		message := err.Error()
		var n int
		if _, scanErr := fmt.Sscanf(message, "[%d:%d]", &line, &n); scanErr == nil {
			_, message, _ = strings.Cut(message, "] ")
		}
		first, _, _ := strings.Cut(message, "\n")
		d.faults = append(d.faults, fault{line: line, message: "not YAML: " + first})
		return d
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		d.faults = append(d.faults, fault{line: 1, message: "empty"})
		return d
	}
	d.decode(file.Docs[0].Body, reflect.ValueOf(into).Elem(), "", 0)
	return d
}

func (d *document) fault(line int, path, message string) {
	d.faults = append(d.faults, fault{line: line, path: path, message: message})
}

// at adds a fault at the line of a path, or of the nearest path above it.
func (d *document) at(path, message string) {
	for p := path; ; {
		if line, ok := d.lines[p]; ok {
			d.fault(line, path, message)
			return
		}
		cut := strings.LastIndexByte(p, '.')
		if cut < 0 {
			d.fault(0, path, message)
			return
		}
		p = p[:cut]
	}
}

func lineOf(node ast.Node) int {
	if t := node.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

func (d *document) decode(node ast.Node, into reflect.Value, path string, depth int) {
	if _, seen := d.lines[path]; !seen {
		d.lines[path] = lineOf(node)
	}
	if depth > maxYAMLDepth {
		d.fault(lineOf(node), path, "nested too deeply")
		return
	}
	if _, null := node.(*ast.NullNode); null {
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.decode(node, into.Elem(), path, depth)
	case reflect.Struct:
		d.decodeStruct(node, into, path, depth)
	case reflect.Map:
		d.decodeMap(node, into, path, depth)
	case reflect.Slice:
		sequence, ok := node.(*ast.SequenceNode)
		if !ok {
			d.fault(lineOf(node), path, "must be a list: [a, b]")
			return
		}
		for i, element := range sequence.Values {
			value := reflect.New(into.Type().Elem()).Elem()
			d.decode(element, value, fmt.Sprintf("%s.%d", path, i+1), depth+1)
			into.Set(reflect.Append(into, value))
		}
	case reflect.String:
		text, ok := scalar(node)
		if !ok {
			d.fault(lineOf(node), path, "must be a single value")
			return
		}
		into.SetString(text)
	case reflect.Bool:
		value, ok := node.(*ast.BoolNode)
		if !ok {
			d.fault(lineOf(node), path, "must be true or false")
			return
		}
		into.SetBool(value.Value)
	case reflect.Int:
		var n int
		text, ok := scalar(node)
		if _, err := fmt.Sscanf(text+"\n", "%d\n", &n); !ok || err != nil {
			d.fault(lineOf(node), path, "must be a whole number")
			return
		}
		into.SetInt(int64(n))
	}
}

// pairs gives the members of a mapping node.
func (d *document) pairs(node ast.Node, path string) []*ast.MappingValueNode {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	d.fault(lineOf(node), path, "must be a table: name: value")
	return nil
}

func (d *document) decodeStruct(node ast.Node, into reflect.Value, path string, depth int) {
	fields := map[string][]int{}
	for _, f := range reflect.VisibleFields(into.Type()) {
		if name := f.Tag.Get("yaml"); name != "" {
			fields[name] = f.Index
		}
	}
	seen := map[string]bool{}
	for _, pair := range d.pairs(node, path) {
		key, _ := scalar(pair.Key)
		inner := strings.TrimPrefix(path+"."+key, ".")
		field, known := fields[key]
		switch {
		case !known:
			d.fault(lineOf(pair.Key), inner, "unknown key; known are "+strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
		case seen[key]:
			d.fault(lineOf(pair.Key), inner, "given twice")
		default:
			d.lines[inner] = lineOf(pair.Key)
			d.decode(pair.Value, into.FieldByIndex(field), inner, depth+1)
		}
		seen[key] = true
	}
}

func (d *document) decodeMap(node ast.Node, into reflect.Value, path string, depth int) {
	into.Set(reflect.MakeMap(into.Type()))
	for _, pair := range d.pairs(node, path) {
		key, ok := scalar(pair.Key)
		if !ok {
			d.fault(lineOf(pair.Key), path, "a name must be a single value")
			continue
		}
		inner := path + "." + key
		if into.MapIndex(reflect.ValueOf(key)).IsValid() {
			d.fault(lineOf(pair.Key), inner, "given twice")
			continue
		}
		d.lines[inner] = lineOf(pair.Key)
		value := reflect.New(into.Type().Elem()).Elem()
		d.decode(pair.Value, value, inner, depth+1)
		into.SetMapIndex(reflect.ValueOf(key), value)
	}
}

// scalar gives the text of a single value as written, without its quotes.
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.NullNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}
