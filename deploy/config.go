package deploy

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"milepost/schemas"
)

// Config is everything that a server can be told. Every field has a flag, an
// environment variable and a key of the configuration file, in this order of
// precedence; the zero value runs everything on embedded engines.
type Config struct {
	Data             string   `yaml:"data"`
	Listen           string   `yaml:"listen"`
	ClickHouseListen string   `yaml:"clickhouse_listen"`
	NATSListen       string   `yaml:"nats_listen"`
	NATS             string   `yaml:"nats"`
	ClickHouse       string   `yaml:"clickhouse"`
	Target           []string `yaml:"target"`
	LogLevel         string   `yaml:"log_level"`
	// Durability is "power" (an acknowledged event survives a power cut) or
	// "process" (it survives the end of the process); it is of the embedded
	// NATS only.
	Durability string          `yaml:"durability"`
	Bulletins  BulletinsConfig `yaml:"bulletins"`

	// The rules (specification §2, §3, §5); what is not given keeps its default.
	Groups        []schemas.Group    `yaml:"groups"`
	Districts     []schemas.District `yaml:"districts"`
	Departments   []schemas.Entry    `yaml:"departments"`
	Leads         []schemas.Entry    `yaml:"leads"`
	ReportDay     *int               `yaml:"report_day"`
	YellowMonths  *int               `yaml:"yellow_months"`
	RedMonths     *int               `yaml:"red_months"`
	YellowLag     *int               `yaml:"yellow_lag"`
	RedLag        *int               `yaml:"red_lag"`
	StalledMonths *int               `yaml:"stalled_months"`
}

// BulletinsConfig says how bulletins are published.
type BulletinsConfig struct {
	// Dir takes the published files; by default DATA/bulletins.
	Dir string `yaml:"dir"`
	// Since is the first day whose periods may be caught up; by default the
	// day of the first start.
	Since string `yaml:"since"`
	// Monthly is a cron expression in Asia/Shanghai, or "after-report-day":
	// the first working day after the day on which reports are due.
	Monthly string `yaml:"monthly"`
}

// The roles of a process. Targets lists them.
const (
	TargetEngines   = "engines"
	TargetProducers = "producers"
	TargetConsumers = "consumers"
	TargetScheduler = "scheduler"
	TargetWeb       = "web"
)

// Targets lists the roles of a process; all of them run by default.
func Targets() []string {
	return []string{TargetEngines, TargetProducers, TargetConsumers, TargetScheduler, TargetWeb}
}

// loadConfig reads a configuration file; an empty path gives the empty
// configuration. Unknown keys are errors with their line.
func loadConfig(path string) (Config, error) {
	var c Config
	if path == "" {
		return c, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, &schemas.Error{Code: schemas.NotFound, Message: "no configuration file", Field: "config", Value: path, Hint: "check the path"}
	}
	if err != nil {
		return c, &schemas.Error{Code: schemas.Invalid, Message: "cannot read the configuration file", Field: "config", Value: path, Err: err}
	}
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict()); err != nil {
		return c, &schemas.Error{Code: schemas.Invalid, Message: "the configuration file does not read:\n" + yaml.FormatError(err, false, true), Field: "config", Value: path, Hint: "see the commented sample deploy/examples/milepost.yaml"}
	}
	return c, nil
}

// or takes the other value where c's is not set: c wins.
func (c Config) or(other Config) Config {
	first := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	merged := other
	merged.Data = first(c.Data, other.Data)
	merged.Listen = first(c.Listen, other.Listen)
	merged.ClickHouseListen = first(c.ClickHouseListen, other.ClickHouseListen)
	merged.NATSListen = first(c.NATSListen, other.NATSListen)
	merged.NATS = first(c.NATS, other.NATS)
	merged.ClickHouse = first(c.ClickHouse, other.ClickHouse)
	merged.LogLevel = first(c.LogLevel, other.LogLevel)
	merged.Durability = first(c.Durability, other.Durability)
	if len(c.Target) > 0 {
		merged.Target = c.Target
	}
	return merged
}

// withDefaults fills what nobody set.
func (c Config) withDefaults() Config {
	return c.or(Config{
		Groups: c.Groups, Districts: c.Districts, Departments: c.Departments, Leads: c.Leads, ReportDay: c.ReportDay,
		YellowMonths: c.YellowMonths, RedMonths: c.RedMonths, YellowLag: c.YellowLag, RedLag: c.RedLag, StalledMonths: c.StalledMonths,
		Bulletins: c.Bulletins,
		Data:      "milepost-data", Listen: "127.0.0.1:8080", ClickHouseListen: "127.0.0.1:8123",
		LogLevel: "info", Durability: "power", Target: Targets(),
	})
}

// has tells whether the process plays the role.
func (c Config) has(target string) bool { return slices.Contains(c.Target, target) }

// check lists everything that is wrong with the configuration at once.
func (c Config) check() error {
	var wrong []error
	add := func(field, value, message, hint string) {
		wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: field, Value: value, Message: message, Hint: hint})
	}
	address := func(field, value string) {
		if value == "" {
			return
		}
		if _, _, err := net.SplitHostPort(value); err != nil {
			add(field, value, "not an address", "write host:port, such as 127.0.0.1:8080; port 0 takes a free one")
		}
	}
	address("listen", c.Listen)
	address("clickhouse_listen", c.ClickHouseListen)
	address("nats_listen", c.NATSListen)
	checkURL := func(field, value string, schemes ...string) {
		if value == "" {
			return
		}
		u, err := url.Parse(value)
		if err != nil || !slices.Contains(schemes, u.Scheme) || u.Host == "" {
			add(field, redactURL(value), "not a server address", "write "+strings.Join(schemes, ":// or ")+"://host:port")
		}
	}
	checkURL("clickhouse", c.ClickHouse, "http", "https", "clickhouse", "tcp")
	for _, one := range strings.Split(c.NATS, ",") {
		checkURL("nats", strings.TrimSpace(one), "nats", "tls", "ws", "wss")
	}
	for _, t := range c.Target {
		if !slices.Contains(Targets(), t) {
			add("target", t, "no such role", "choose of "+strings.Join(Targets(), ", "))
		}
	}
	if !slices.Contains([]string{"power", "process"}, c.Durability) {
		add("durability", c.Durability, "no such durability", "power or process")
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.LogLevel) {
		add("log_level", c.LogLevel, "no such level", "debug, info, warn or error")
	}
	if c.Bulletins.Since != "" {
		if _, err := schemas.ParseDate(c.Bulletins.Since); err != nil {
			add("bulletins.since", c.Bulletins.Since, "not a date", "write YYYY-MM-DD")
		}
	}
	wrong = append(wrong, c.checkRules()...)
	return errors.Join(wrong...)
}

// rules gives the specification's rules with what the configuration changes.
func (c Config) rules() *schemas.Rules {
	r := schemas.DefaultRules()
	if c.Groups != nil {
		r.Groups = c.Groups
	}
	if c.Districts != nil {
		r.Districts = c.Districts
	}
	r.Departments, r.Leads = c.Departments, c.Leads
	for _, number := range []struct{ from, to *int }{
		{c.ReportDay, &r.ReportDay}, {c.YellowMonths, &r.YellowMonths}, {c.RedMonths, &r.RedMonths},
		{c.YellowLag, &r.YellowLag}, {c.RedLag, &r.RedLag}, {c.StalledMonths, &r.StalledMonths},
	} {
		if number.from != nil {
			*number.to = *number.from
		}
	}
	return r
}

func (c Config) checkRules() []error {
	var wrong []error
	add := func(field, value, message, hint string) {
		wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: field, Value: value, Message: message, Hint: hint})
	}
	r := c.rules()
	groups, codes := map[string]bool{}, map[string]bool{schemas.CityDistrict: true}
	for i, g := range r.Groups {
		if g.Code == "" || g.Name == "" || groups[g.Code] {
			add(fmt.Sprintf("groups[%d]", i), g.Code, "a group needs its own code and a name", "")
		}
		groups[g.Code] = true
	}
	for i, d := range r.Districts {
		field := fmt.Sprintf("districts[%d]", i)
		switch {
		case !districtCode(d.Code):
			add(field+".code", d.Code, "not a district code", "use 1 to 40 of a-z, 0-9, _ and -")
		case codes[d.Code]:
			add(field+".code", d.Code, "the code is taken", `give each district its own; "city" is the city office`)
		case d.Name == "":
			add(field+".name", "", "a district needs a name", "")
		case !groups[d.Group]:
			add(field+".group", d.Group, "no such group", "name one of groups")
		}
		codes[d.Code] = true
	}
	for _, n := range []struct {
		field              string
		value, least, most int
	}{
		{"report_day", r.ReportDay, 1, 28}, {"yellow_months", r.YellowMonths, 1, 120}, {"red_months", r.RedMonths, r.YellowMonths, 120},
		{"yellow_lag", r.YellowLag, 0, 100}, {"red_lag", r.RedLag, r.YellowLag, 100}, {"stalled_months", r.StalledMonths, 1, 24},
	} {
		if n.value < n.least || n.value > n.most {
			add(n.field, fmt.Sprint(n.value), "out of range", fmt.Sprintf("from %d to %d", n.least, n.most))
		}
	}
	wrong = append(wrong, checkDirectory("departments", r.Departments)...)
	return append(wrong, checkDirectory("leads", r.Leads)...)
}

func checkDirectory(field string, entries []schemas.Entry) []error {
	var wrong []error
	taken := map[string]bool{}
	for i, e := range entries {
		for _, name := range append([]string{e.Name}, e.Aliases...) {
			if name == "" || taken[name] {
				wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: fmt.Sprintf("%s[%d]", field, i), Value: name, Message: "a name or alias must be given and stand for one entry only"})
			}
			taken[name] = true
		}
	}
	return wrong
}

func districtCode(code string) bool {
	if code == "" || len(code) > 40 {
		return false
	}
	return strings.Trim(code, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// redactURL hides the password of an address that goes into a message.
func redactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an address that does not parse"
	}
	return u.Redacted()
}
