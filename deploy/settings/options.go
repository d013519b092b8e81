package settings

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"milepost/schemas"
)

// Option is one option of the configuration: a key of the file, an environment variable, and a flag of serve.
type Option struct {
	// Key is the path in the file, such as bulletins.weekly.
	Key string `json:"key"`
	// Environment is the variable. Its value is what would stand behind the key in the file: text, a number, or a list
	// or an object in YAML's flow style.
	Environment string `json:"environment"`
	// Flag is the flag of serve; options without a flag of their own are given by --set KEY=VALUE.
	Flag string `json:"flag"`
	// Value says what the option takes: text, number, true or false, list, map, duration.
	Value string `json:"value"`

	index []int
}

// Options lists every option, in the order of the configuration's fields; flags are the flags of serve by the keys that have
// one of their own.
func Options(flags map[string]string) []Option {
	list := optionsOf(reflect.TypeFor[Config](), "", nil)
	for i := range list {
		o := &list[i]
		o.Flag = "--set " + o.Key + "="
		if flag, own := flags[o.Key]; own {
			o.Flag = "--" + flag
		}
	}
	return list
}

func optionsOf(t reflect.Type, prefix string, index []int) (list []Option) {
	for i := range t.NumField() {
		field := t.Field(i)
		key, inline, skip := yamlKey(field)
		if skip {
			continue
		}
		at := append(slices.Clone(index), i)
		switch {
		case inline:
			list = append(list, optionsOf(field.Type, prefix, at)...)
		case field.Type.Kind() == reflect.Struct && !isLeaf(field.Type):
			list = append(list, optionsOf(field.Type, prefix+key+".", at)...)
		default:
			list = append(list, Option{Key: prefix + key, Environment: "MILEPOST_" + strings.ToUpper(strings.ReplaceAll(prefix+key, ".", "_")), Value: takes(field.Type), index: at})
		}
	}
	return list
}

// yamlKey gives the key under which the configuration file has a field.
func yamlKey(field reflect.StructField) (key string, inline, skip bool) {
	name, rest, _ := strings.Cut(field.Tag.Get("yaml"), ",")
	if name == "-" || !field.IsExported() {
		return "", false, true
	}
	if strings.Contains(rest, "inline") {
		return "", true, false
	}
	if name == "" {
		name = strings.ToLower(field.Name)
	}
	return name, false, false
}

// isLeaf tells whether a type reads itself from text.
func isLeaf(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) ||
		reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.BytesUnmarshaler]()) ||
		reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.InterfaceUnmarshaler]())
}

func takes(t reflect.Type) string {
	t = pointedTo(t)
	switch {
	case t.String() == "time.Duration":
		return "duration"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "list"
	case t.Kind() == reflect.Map:
		return "map"
	case t.Kind() == reflect.String:
		return "text"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64:
		return "number"
	}
	return "text"
}

// Overlay sets options of the file's configuration by environment variables and then by assignments KEY=VALUE. Options
// with flags of their own are set by these. It names everything that is wrong at once.
func (c *Config) Overlay(getenv func(string) (string, bool), assignments []string, options []Option) error {
	var wrong []error
	for _, o := range options {
		if value, given := getenv(o.Environment); given && value != "" && strings.HasPrefix(o.Flag, "--set ") {
			wrong = append(wrong, c.set(o, o.Environment, value))
		}
	}
	for _, assignment := range assignments {
		key, value, assigned := strings.Cut(assignment, "=")
		i := slices.IndexFunc(options, func(o Option) bool { return o.Key == key })
		switch {
		case !assigned:
			wrong = append(wrong, wrongAssignment(assignment, "not an assignment", "write KEY=VALUE, such as bulletins.weekly=off"))
		case i < 0:
			wrong = append(wrong, wrongAssignment(key, "no such option", nearestHint(key, optionKeys(options))))
		default:
			wrong = append(wrong, c.set(options[i], "--set "+key, value))
		}
	}
	return errors.Join(wrong...)
}

func wrongAssignment(value, message, hint string) error {
	return &schemas.Error{Code: schemas.Invalid, Field: "--set", Value: value, Message: message, Hint: hint}
}

func optionKeys(options []Option) []string {
	keys := make([]string, len(options))
	for i, o := range options {
		keys[i] = o.Key
	}
	return keys
}

// set reads the value as the file would, whole texts as they are.
func (c *Config) set(o Option, from, value string) error {
	field := reflect.ValueOf(c).Elem().FieldByIndex(o.index)
	if field.Kind() == reflect.String { // which needs no quotes
		field.SetString(value)
		return nil
	}
	fresh := reflect.New(pointedTo(field.Type()))
	if err := yaml.UnmarshalWithOptions([]byte(value), fresh.Interface(), yaml.Strict()); err != nil {
		return &schemas.Error{Code: schemas.Invalid, Field: from, Value: schemas.Shorten(value), Message: "the value does not read: " + oneLine(err), Hint: fmt.Sprintf("%s takes: %s; see milepost config options", o.Key, o.Value)}
	}
	bare(field).Set(fresh.Elem())
	return nil
}

// oneLine is a YAML error without the picture of its source.
func oneLine(err error) string {
	text, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
	return text
}
