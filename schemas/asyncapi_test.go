package schemas

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// reference is a $ref of AsyncAPI.
type reference struct {
	Ref string `yaml:"$ref"`
}

// asyncAPI is what the tests read of asyncapi.yaml.
type asyncAPI struct {
	Version  string                                     `yaml:"asyncapi"`
	Servers  map[string]struct{ Host, Protocol string } `yaml:"servers"`
	Channels map[string]struct {
		Address    string `yaml:"address"`
		Parameters map[string]struct {
			Enum []string `yaml:"enum"`
		} `yaml:"parameters"`
		Messages map[string]reference `yaml:"messages"`
	} `yaml:"channels"`
	Operations map[string]struct {
		Action  string    `yaml:"action"`
		Channel reference `yaml:"channel"`
	} `yaml:"operations"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]any `yaml:"properties"`
		} `yaml:"schemas"`
		Messages map[string]struct {
			Name    string    `yaml:"name"`
			Title   string    `yaml:"title"`
			Headers reference `yaml:"headers"`
			Payload struct {
				Schema reference `yaml:"schema"`
			} `yaml:"payload"`
		} `yaml:"messages"`
	} `yaml:"components"`
}

func TestAsyncAPINamesEveryTypeAndSchema(t *testing.T) {
	text, err := fs.ReadFile(Files(), "asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var api asyncAPI
	if err := yaml.Unmarshal(text, &api); err != nil {
		t.Fatal(err)
	}
	channel := api.Channels["events"]
	if api.Version != "3.0.0" || len(api.Servers) == 0 || len(api.Channels) != 1 {
		t.Errorf("version %s, %d servers, %d channels", api.Version, len(api.Servers), len(api.Channels))
	}
	var words []string
	for _, typ := range Types() {
		name := string(typ)
		words = append(words, strings.TrimSuffix(name, ".v1"))
		if got := channel.Messages[name].Ref; got != "#/components/messages/"+name {
			t.Errorf("%s: the channel refers to %q", name, got)
		}
		message := api.Components.Messages[name]
		if message.Name != name || message.Title != readSchema(t, typ).Title || message.Headers.Ref != "#/components/schemas/headers" {
			t.Errorf("%s: name %q, title %q, headers %q", name, message.Name, message.Title, message.Headers.Ref)
		}
		if ref := message.Payload.Schema.Ref; ref != "events/"+name+".json" {
			t.Errorf("%s: payload %q", name, ref)
		} else if _, err := fs.Stat(Files(), ref); err != nil {
			t.Error(err)
		}
	}
	if len(channel.Messages) != len(words) || len(api.Components.Messages) != len(words) {
		t.Errorf("%d and %d messages for %d types", len(channel.Messages), len(api.Components.Messages), len(words))
	}
	if !slices.Equal(channel.Parameters["type"].Enum, words) {
		t.Errorf("the parameter type knows %v, want %v", channel.Parameters["type"].Enum, words)
	}
	actions := map[string]int{}
	for _, operation := range api.Operations {
		actions[operation.Action]++
		if operation.Channel.Ref != "#/channels/events" {
			t.Errorf("an operation on %q", operation.Channel.Ref)
		}
	}
	if actions["send"] != 1 || actions["receive"] != 1 {
		t.Errorf("operations %v, want one to send and one to receive", actions)
	}
	for _, header := range []string{"Nats-Msg-Id", "Milepost-Actor"} {
		if _, ok := api.Components.Schemas["headers"].Properties[header]; !ok {
			t.Errorf("the header %s is not described", header)
		}
	}
}

// The address of the channel is the subject that an event is published on.
func TestAsyncAPIAddressIsTheStreamSubject(t *testing.T) {
	text, err := fs.ReadFile(Files(), "asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var api asyncAPI
	if err := yaml.Unmarshal(text, &api); err != nil {
		t.Fatal(err)
	}
	fast, _ := bothValidators(t)
	for _, typ := range Types() {
		e, _, err := fast.Decode(readSchema(t, typ).Examples[0])
		if err != nil {
			t.Fatal(err)
		}
		filled := strings.NewReplacer("{district}", e.District, "{project}", e.Subject, "{type}", strings.TrimSuffix(string(typ), ".v1")).Replace(api.Channels["events"].Address)
		if filled != e.StreamSubject() {
			t.Errorf("%s is published on %s, the channel says %s", typ, e.StreamSubject(), filled)
		}
		if prefix := strings.TrimSuffix(StreamSubjects, ">"); !strings.HasPrefix(filled, prefix) {
			t.Errorf("%s lies outside %s", filled, StreamSubjects)
		}
	}
}
