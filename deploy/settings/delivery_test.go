package settings

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"milepost/schemas"
)

// wrongFields lists the fields that a check complains of.
func wrongFields(errs []error) []string {
	fields := []string{}
	for _, err := range errs {
		var e *schemas.Error
		if errors.As(err, &e) {
			fields = append(fields, e.Field)
		}
	}
	return fields
}

func TestDeliveryConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`delivery: {targets: [{name: a, type: folder, dir: out}, {name: b, type: nats, kinds: [month, assessment], edition: media, formats: [md]}]}`: nil,
		`delivery: {targets: [{name: A b, type: pigeon}]}`:                                                                     {"delivery.targets[0].name", "delivery.targets[0].type"},
		`delivery: {targets: [{name: a, type: nats}, {name: a, type: folder}]}`:                                                {"delivery.targets[1].name", "delivery.targets[1].dir"},
		`delivery: {targets: [{name: a, type: nats, kinds: [day], edition: secret, formats: [gif]}]}`:                          {"delivery.targets[0].kinds", "delivery.targets[0].formats", "delivery.targets[0].edition"},
		`delivery: {targets: [{name: a, type: wecom, url: "https://qyapi.example.cn/send?key=1"}]}`:                            {"delivery.targets[0].url_file"},
		`delivery: {targets: [{name: a, type: webhook, url: "https://u:p@example.cn/"}]}`:                                      {"delivery.targets[0].url"},
		`delivery: {targets: [{name: a, type: webhook, url: "ftp://example.cn/", secret_file: x, secret_env: Y}]}`:             {"delivery.targets[0].", "delivery.targets[0].url"},
		`delivery: {targets: [{name: a, type: email, server: "mail.example.cn:587", from: a@example.cn, to: [b@example.cn]}]}`: nil,
		`delivery: {targets: [{name: a, type: email, server: mail, security: none, user: u, from: nobody, to: [b@]}]}`:         {"delivery.targets[0].server", "delivery.targets[0].security", "delivery.targets[0].password_file", "delivery.targets[0].from", "delivery.targets[0].to"},
		`delivery: {link: "milepost", failures_to: [b], retry: {attempts: 1000}, targets: [{name: a, type: nats}]}`:            {"delivery.link", "delivery.retry", "delivery.failures_to"},
		`{alerts: {kinds: [blue], per_day: 99}, contacts: {leads: {领导甲: {targets: [a], emails: [x], mobiles: [abc], kinds: [pink]}}, districts: {nowhere: {}}}}`: {
			"alerts.kinds", "alerts.per_day", "contacts.leads.领导甲.targets", "contacts.leads.领导甲.emails", "contacts.leads.领导甲.mobiles", "contacts.leads.领导甲.kinds", "contacts.districts.nowhere.targets", "contacts.districts.nowhere."},
	} {
		var c Config
		if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		errs := append(c.Delivery.check(c.Bulletins.PublishedFormats()), c.checkAlerts()...)
		if got := wrongFields(errs); len(got) != len(errs) || !slices.Equal(got, append([]string{}, want...)) {
			t.Errorf("%s:\n got %v\nwant %v", text, got, want)
		}
		for _, err := range errs {
			if strings.Contains(err.Error(), "u:p@") || strings.Contains(err.Error(), "key=1") {
				t.Errorf("a secret is in %v", err)
			}
		}
	}
}
