// Package settings is what a server can be told: the configuration file, the environment and assignments, with everything
// that is wrong with them named at once.
package settings

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"milepost/scheduler/render/formats"
	"milepost/schemas"
)

// Config is everything that a server can be told. Every field has a flag, an
// environment variable and a key of the configuration file, in this order of
// precedence; the zero value runs everything on embedded engines.
type Config struct {
	// File is where it was read from.
	File             string `yaml:"-"`
	Data             string `yaml:"data"`
	Listen           string `yaml:"listen"`
	ClickHouseListen string `yaml:"clickhouse_listen"`
	NATSListen       string `yaml:"nats_listen"`
	NATS             string `yaml:"nats"`
	// NATSCreds is the credentials file for the NATS servers of NATS.
	NATSCreds string `yaml:"nats_creds"`
	// NATSReplicas is how many of those servers keep the stream of events, and
	// with it everything else that is kept there; 0 leaves an existing stream as
	// it is and makes a new one with 1.
	NATSReplicas int    `yaml:"nats_replicas"`
	ClickHouse   string `yaml:"clickhouse"`
	// ClickHouseCluster is the name under which the servers of ClickHouse know their cluster; the tables are then made on
	// all of them, and replicated.
	ClickHouseCluster string `yaml:"clickhouse_cluster"`
	// ClickHouseSharded says that this cluster has more than one shard; the tables of events are then spread over them.
	ClickHouseSharded bool `yaml:"clickhouse_sharded"`
	// ClickHousePasswordFile holds what analysts need for the embedded
	// ClickHouse HTTP interface; without one it listens on this machine only.
	ClickHousePasswordFile string `yaml:"clickhouse_password_file"`
	// ClickHousePassword is the password itself, of the environment only.
	ClickHousePassword string   `yaml:"-"`
	Target             []string `yaml:"target"`
	LogLevel           string   `yaml:"log_level"`
	// Durability is "power" (an acknowledged event survives a power cut) or
	// "process" (it survives the end of the process); it is of the embedded
	// NATS only.
	Durability string          `yaml:"durability"`
	Bulletins  BulletinsConfig `yaml:"bulletins"`
	// Schedule says by whose clocks, and when notices are told.
	Schedule ScheduleConfig `yaml:"schedule"`
	// Delivery says where published editions and letters go, Alerts and Contacts
	// who is told what between bulletins.
	Delivery DeliveryConfig `yaml:"delivery"`
	Alerts   AlertsConfig   `yaml:"alerts"`
	Contacts ContactsConfig `yaml:"contacts"`
	// Documents says how printed editions look.
	Documents formats.Config `yaml:"documents"`
	// What becomes of old events of the stream.
	ArchiveConfig `yaml:",inline"`
	// Who may reach the HTTP interface, and how.
	AccessConfig `yaml:",inline"`

	// The rules that hold from the beginning, those that replace them from a
	// day on, and the years that are assessed by the rules of another day than
	// their 31 December.
	RulesConfig `yaml:",inline"`
	RuleSets    []RuleSetConfig `yaml:"rule_sets"`
	YearRules   map[int]string  `yaml:"year_rules"`
}

// BulletinsConfig says how bulletins are published.
type BulletinsConfig struct {
	// Dir takes the published files; by default DATA/bulletins.
	Dir string `yaml:"dir"`
	// Since is the first day whose periods may be caught up; by default the
	// day of the first start.
	Since string `yaml:"since"`
	// Weekly is when the digest of a week is published: a schedule (a cron
	// expression, or a rule such as "first working day after the 10th"), by default
	// "off".
	Weekly string `yaml:"weekly"`
	// Monthly is when months are published, by default "after-report-day": the
	// first working day after the day on which reports are due; "off" leaves
	// months to people.
	Monthly string `yaml:"monthly"`
	// Quarterly and HalfYearly are the same for quarters and half-years.
	Quarterly  string `yaml:"quarterly"`
	HalfYearly string `yaml:"half_yearly"`
	// Modes says by job (weekly, monthly, quarterly, half_yearly) whether it is
	// "auto", which publishes, or "manual", which drafts and leaves the publication
	// to people; by default auto.
	Modes map[string]string `yaml:"modes"`
	// Assessment is when the assessment of the year before is drafted: a cron
	// expression, by default 15 January at 09:00, or "off".
	Assessment string `yaml:"assessment"`

	// Editorial says how editions are signed off and written.
	Editorial `yaml:",inline"`
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

// Load reads a configuration file; an empty path gives the empty
// configuration. Unknown keys are errors with their line.
func Load(path string) (Config, error) {
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
	c.File = path
	return c, nil
}

// Or takes the other value where c's is not set: c wins.
func (c Config) Or(other Config) Config {
	first := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	merged := other
	merged.File = first(c.File, other.File)
	merged.Data = first(c.Data, other.Data)
	merged.Listen = first(c.Listen, other.Listen)
	merged.ClickHouseListen = first(c.ClickHouseListen, other.ClickHouseListen)
	merged.NATSListen = first(c.NATSListen, other.NATSListen)
	merged.NATS = first(c.NATS, other.NATS)
	merged.NATSCreds = first(c.NATSCreds, other.NATSCreds)
	if c.NATSReplicas != 0 {
		merged.NATSReplicas = c.NATSReplicas
	}
	merged.ClickHousePasswordFile = first(c.ClickHousePasswordFile, other.ClickHousePasswordFile)
	merged.ClickHousePassword = first(c.ClickHousePassword, other.ClickHousePassword)
	merged.ClickHouse = first(c.ClickHouse, other.ClickHouse)
	merged.ClickHouseCluster = first(c.ClickHouseCluster, other.ClickHouseCluster)
	merged.ClickHouseSharded = c.ClickHouseSharded || other.ClickHouseSharded
	merged.LogLevel = first(c.LogLevel, other.LogLevel)
	merged.AccessConfig = c.AccessConfig.or(other.AccessConfig)
	merged.Durability = first(c.Durability, other.Durability)
	if len(c.Target) > 0 {
		merged.Target = c.Target
	}
	return merged
}

// WithDefaults fills what nobody set.
func (c Config) WithDefaults() Config {
	return c.Or(Config{
		RulesConfig: c.RulesConfig, RuleSets: c.RuleSets, YearRules: c.YearRules,
		Bulletins: c.Bulletins, Schedule: c.Schedule, Documents: c.Documents,
		Delivery: c.Delivery, Alerts: c.Alerts, Contacts: c.Contacts, ArchiveConfig: c.ArchiveConfig,
		Data: "milepost-data", Listen: "127.0.0.1:8080", ClickHouseListen: "127.0.0.1:8123",
		LogLevel: "info", Durability: "power", Target: Targets(),
	})
}

// Has tells whether the process plays the role.
func (c Config) Has(target string) bool { return slices.Contains(c.Target, target) }

// Check lists everything that is wrong with the configuration at once.
func (c Config) Check() error {
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
	wrong = append(wrong, c.checkEngines()...)
	checkURL := func(field, value string, schemes ...string) {
		if value == "" {
			return
		}
		u, err := url.Parse(value)
		if err != nil || !slices.Contains(schemes, u.Scheme) || u.Host == "" {
			add(field, Redacted(value), "not a server address", "write "+strings.Join(schemes, ":// or ")+"://host:port")
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
	wrong = append(wrong, c.AccessConfig.check()...)
	wrong = append(wrong, c.ArchiveConfig.check()...)
	wrong = append(wrong, c.Bulletins.Editorial.check()...)
	wrong = append(wrong, c.Delivery.check(c.Bulletins.PublishedFormats())...)
	wrong = append(wrong, c.checkAlerts()...)
	if _, err := formats.New(c.Documents); err != nil {
		wrong = append(wrong, err)
	}
	wrong = append(wrong, c.checkRules()...)
	if _, err := c.Schedules(schemas.UndatedRules(schemas.DefaultRules()), slog.New(slog.DiscardHandler)); err != nil {
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// Redacted hides the password of an address that goes into a message.
func Redacted(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "an address that does not parse"
	}
	return u.Redacted()
}
