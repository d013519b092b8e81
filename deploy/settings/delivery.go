package settings

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"milepost/scheduler/deliver"
	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// DeliveryConfig says where published editions and letters go.
type DeliveryConfig struct {
	// Link is the address under which people read an edition; {id} and {period}
	// stand for its own.
	Link  string              `yaml:"link"`
	Retry DeliveryRetryConfig `yaml:"retry"`
	// FailuresTo names the targets that are told when another one fails.
	FailuresTo []string       `yaml:"failures_to"`
	Targets    []TargetConfig `yaml:"targets"`
}

// DeliveryRetryConfig says how often a delivery is tried; see deliver.Retry.
type DeliveryRetryConfig struct {
	First      time.Duration `yaml:"first"`
	Most       time.Duration `yaml:"most"`
	Attempts   int           `yaml:"attempts"`
	PauseAfter int           `yaml:"pause_after"`
}

// TargetConfig is one place to deliver to. Secrets are never in it: they are
// named by the file or the environment variable that holds them.
type TargetConfig struct {
	Name string `yaml:"name"`
	// Type is one of folder, email, wecom, dingtalk, feishu, webhook and nats.
	Type string `yaml:"type"`
	// Kinds are those of the editions delivered here; none: all.
	Kinds   []string `yaml:"kinds"`
	Edition string   `yaml:"edition"` // official (the default) or media
	Formats []string `yaml:"formats"`
	// LettersOnly targets get alerts, reminders and notices, but no editions.
	LettersOnly bool `yaml:"letters_only"`

	Dir string `yaml:"dir"` // folder

	Server       string   `yaml:"server"`   // email: host:port
	Security     string   `yaml:"security"` // email: starttls (the default), tls or none
	User         string   `yaml:"user"`
	PasswordFile string   `yaml:"password_file"`
	PasswordEnv  string   `yaml:"password_env"`
	From         string   `yaml:"from"`
	To           []string `yaml:"to"`

	// URL is of webhooks whose address is no secret; that of a robot always is.
	URL        string `yaml:"url"`
	URLFile    string `yaml:"url_file"`
	URLEnv     string `yaml:"url_env"`
	SecretFile string `yaml:"secret_file"`
	SecretEnv  string `yaml:"secret_env"`
	// AllowPrivate are addresses and networks that may be dialled though they
	// are private.
	AllowPrivate []string `yaml:"allow_private"`
}

// The types of targets.
const (
	ToFolder   = "folder"
	ToEmail    = "email"
	ToWeCom    = "wecom"
	ToDingTalk = "dingtalk"
	ToFeishu   = "feishu"
	ToWebhook  = "webhook"
	ToNATS     = "nats"
)

func targetTypes() []string {
	return []string{ToFolder, ToEmail, ToWeCom, ToDingTalk, ToFeishu, ToWebhook, ToNATS}
}

// maxTargets and maxRecipients bound what a configuration may list.
const (
	maxTargets    = 50
	maxRecipients = 200
)

var targetName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// check lists everything that is wrong; published are the formats of published
// files.
func (c *DeliveryConfig) check(published []string) []error {
	w := &complaints{prefix: "delivery."}
	if len(c.Targets) > maxTargets {
		w.add("targets", "", "too many targets", fmt.Sprintf("at most %d", maxTargets))
	}
	if c.Link != "" {
		if u, err := url.Parse(c.LinkTo(deliver.Edition{ID: "x", Period: "x"})); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(c.Link) > 500 {
			w.add("link", c.Link, "not an address", "write https://host/editions/{id}")
		}
	}
	r := c.Retry
	if r.First < 0 || r.First > 24*time.Hour || r.Most < 0 || r.Most > 7*24*time.Hour || r.Attempts < 0 || r.Attempts > 100 || r.PauseAfter < 0 || r.PauseAfter > 1000 {
		w.add("retry", "", "out of range", "first up to 24h, most up to 168h, attempts up to 100, pause_after up to 1000")
	}
	names := c.names()
	for i := range c.Targets {
		t := &c.Targets[i]
		w.prefix = fmt.Sprintf("delivery.targets[%d].", i)
		if !targetName.MatchString(t.Name) {
			w.add("name", schemas.Shorten(t.Name), "not a name", "use 1 to 40 of a-z, 0-9 and -")
		} else if slices.Index(names, t.Name) != i {
			w.add("name", t.Name, "the name is taken", "give each target its own")
		}
		t.check(w, published)
	}
	w.prefix = "delivery."
	checkTargetNames(w, "failures_to", c.FailuresTo, names)
	return w.list
}

func (c *DeliveryConfig) names() []string {
	names := make([]string, len(c.Targets))
	for i := range c.Targets {
		names[i] = c.Targets[i].Name
	}
	return names
}

func checkTargetNames(w *complaints, field string, given, known []string) {
	for _, name := range given {
		if !slices.Contains(known, name) {
			w.add(field, schemas.Shorten(name), "no such target", "name one of delivery.targets")
		}
	}
}

// LinkTo gives the address under which people read an edition.
func (c *DeliveryConfig) LinkTo(e deliver.Edition) string {
	return strings.NewReplacer("{id}", url.PathEscape(e.ID), "{period}", url.PathEscape(e.Period)).Replace(c.Link)
}

func (t *TargetConfig) check(w *complaints, published []string) {
	kinds := []string{string(schemas.Week), string(schemas.MonthOf), string(schemas.Quarter), string(schemas.Half), string(schemas.Year), schemas.AssessmentKind}
	for _, kind := range t.Kinds {
		if !slices.Contains(kinds, kind) {
			w.add("kinds", schemas.Shorten(kind), "no such kind", "choose of "+strings.Join(kinds, ", "))
		}
	}
	for _, format := range t.Formats {
		if !slices.Contains(published, format) {
			w.add("formats", schemas.Shorten(format), "not a format of published files", "choose of "+strings.Join(published, ", ")+", or add it to bulletins.formats")
		}
	}
	if t.Edition != "" && t.Edition != string(document.Official) && t.Edition != string(document.Media) {
		w.add("edition", schemas.Shorten(t.Edition), "no such edition", "official or media")
	}
	if _, err := deliver.ParseNetworks(t.AllowPrivate); err != nil {
		w.list = append(w.list, fmt.Errorf("%sallow_private: %w", w.prefix, err))
	}
	for _, pair := range [][2]string{{t.PasswordFile, t.PasswordEnv}, {t.URLFile, t.URLEnv}, {t.SecretFile, t.SecretEnv}} {
		if pair[0] != "" && pair[1] != "" {
			w.add("", t.Name, "a secret comes from a file or from the environment", "name one of the two")
		}
	}
	switch t.Type {
	case ToFolder:
		if t.Dir == "" {
			w.add("dir", "", "a folder needs a directory", "")
		}
	case ToEmail:
		t.checkMail(w)
	case ToWeCom, ToDingTalk, ToFeishu:
		if t.URL != "" || t.URLFile == "" && t.URLEnv == "" {
			w.add("url_file", "", "the address of a robot is a secret", "write it into a file and name that by url_file, or a variable by url_env")
		}
	case ToWebhook:
		if t.URL == "" && t.URLFile == "" && t.URLEnv == "" {
			w.add("url", "", "a webhook needs an address", "give url, url_file or url_env")
		}
		if t.URL != "" {
			if err := CheckAddress(t.URL); err != nil {
				w.add("url", Redacted(t.URL), err.Error(), "write https://host/path")
			}
		}
	case ToNATS:
	default:
		w.add("type", schemas.Shorten(t.Type), "no such type", "choose of "+strings.Join(targetTypes(), ", "))
	}
}

func (t *TargetConfig) checkMail(w *complaints) {
	if _, _, err := SplitServer(t.Server); err != nil {
		w.add("server", schemas.Shorten(t.Server), "not a mail server", "write host:port, such as smtp.example.cn:587")
	}
	if !slices.Contains([]string{"", "starttls", "tls", "none"}, t.Security) {
		w.add("security", schemas.Shorten(t.Security), "no such security", "starttls, tls or none")
	}
	if t.Security == "none" && t.User != "" {
		w.add("security", "none", "a password would travel in the open", "use starttls or tls, or no user")
	}
	if t.User != "" && t.PasswordFile == "" && t.PasswordEnv == "" {
		w.add("password_file", "", "a user needs a password", "name the file or the variable that holds it")
	}
	if _, err := mail.ParseAddress(t.From); err != nil {
		w.add("from", schemas.Shorten(t.From), "not an e-mail address", "")
	}
	checkEmails(w, "to", t.To)
	if len(t.To) == 0 && !t.LettersOnly {
		w.add("to", "", "nobody to send editions to", "list addresses, or set letters_only")
	}
}

func checkEmails(w *complaints, field string, list []string) {
	if len(list) > maxRecipients {
		w.add(field, "", "too many addresses", fmt.Sprintf("at most %d; a mailing list takes more", maxRecipients))
	}
	for _, address := range list {
		if _, err := mail.ParseAddress(address); err != nil {
			w.add(field, schemas.Shorten(address), "not an e-mail address", "")
		}
	}
}

// CheckAddress looks at the address of a webhook or robot. Its error does not
// repeat it.
func CheckAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("not an address")
	case u.User != nil:
		return errors.New("an address with a password in it")
	}
	return nil
}

// SplitServer takes host:port apart.
func SplitServer(server string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(server)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	if err != nil || host == "" || port < 1 || port > 65535 {
		return "", 0, errors.New("not host:port")
	}
	return host, port, nil
}
