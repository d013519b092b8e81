package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"milepost/deploy/embedded/nats/authority"
	"milepost/deploy/settings"
	"milepost/producers"
	"milepost/schemas"
)

// natsCredsCommand makes credentials for a NATS client of one district. It
// works on the keys in the data folder, whether the server runs or not; with a
// signing key it makes them for a server of one's own.
type natsCredsCommand struct {
	District   string `help:"The district whose events the client may publish."`
	Out        string `help:"File that takes the credentials; it must not exist." type:"path" placeholder:"FILE"`
	Expires    string `help:"How long they hold: 365d, 12h, or never." default:"365d"`
	List       bool   `help:"List what was made, and what is revoked."`
	Revoke     string `help:"End credentials by the id that --list shows; a running server cuts their connections." placeholder:"ID"`
	JSON       bool   `help:"Print JSON." name:"json"`
	Data       string `help:"Data folder of the embedded engines (milepost-data)." env:"MILEPOST_DATA" type:"path"`
	NATS       string `help:"The running server's NATS, whose audit records what is done; by default nats or nats_listen of the configuration." name:"nats" env:"MILEPOST_NATS"`
	Config     string `help:"Configuration file (YAML), which knows the districts." env:"MILEPOST_CONFIG" type:"path"`
	SigningKey string `help:"File with the seed of an account's signing key (SA…) on NATS servers of one's own." name:"signing-key" type:"path" placeholder:"FILE"`
	Account    string `help:"With --signing-key: the public key of the account (A…), unless the key is the account's own."`
}

// Run makes, lists or revokes.
func (c *natsCredsCommand) Run(env *environment) error {
	given := 0
	for _, chosen := range []bool{c.District != "" || c.Out != "", c.List, c.Revoke != ""} {
		if chosen {
			given++
		}
	}
	if given != 1 || (c.List || c.Revoke != "") && c.SigningKey != "" {
		return usageError("--district", c.District, "not one thing to do", "nats-creds --district D --out FILE, nats-creds --list, or nats-creds --revoke ID; --signing-key only makes, and its account's administrator revokes")
	}
	file, err := settings.Load(c.Config)
	if err != nil {
		return err
	}
	config := settings.Config{Data: c.Data, NATS: c.NATS}.Or(file).WithDefaults()
	if err := config.Check(); err != nil {
		return err
	}
	switch {
	case c.List:
		return c.list(env, config)
	case c.Revoke != "":
		return c.revoke(env, config)
	}
	return c.create(env, config)
}

// madeCredentials is what --json prints; the secret is in the file only.
type madeCredentials struct {
	ID       string     `json:"id"`
	District string     `json:"district"`
	File     string     `json:"file"`
	Expires  *time.Time `json:"expires"`
	Publish  []string   `json:"publish"`
	Inbox    string     `json:"inbox_prefix"`
}

func (c *natsCredsCommand) create(env *environment, config settings.Config) error {
	if c.Out == "" {
		return usageError("--out", "", "no file for the credentials", "name one, such as --out "+c.District+".creds")
	}
	book, err := config.RuleBook()
	if err != nil {
		return err
	}
	grant, err := districtGrant(book.Any(), c.District)
	if err != nil {
		return err
	}
	expires, err := expiry(env.now(), c.Expires)
	if err != nil {
		return err
	}
	// The file comes first: credentials that nobody can keep are not made.
	out, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usageError("--out", c.Out, "the file exists", "name another one, or remove it")
	}
	if err != nil {
		return usageError("--out", c.Out, "cannot write the file", err.Error())
	}
	var credentials *authority.Credentials
	err = c.recorded(env, config, "nats-creds.create", c.District, func(string) (string, error) {
		var err error
		if credentials, err = c.sign(env, config, grant, expires); err != nil {
			return "", err
		}
		_, err = out.Write(credentials.File)
		return c.District + "/" + credentials.ID, err
	})
	if err = errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, os.Remove(c.Out))
	}
	made := madeCredentials{ID: credentials.ID, District: c.District, File: c.Out, Publish: grant.Publish, Inbox: grant.Inbox}
	until := "for ever"
	if !expires.IsZero() {
		made.Expires, until = &expires, "until "+expires.In(schemas.Location).Format(time.DateOnly)
	}
	if c.JSON {
		return json.NewEncoder(env.streams.Out).Encode(made)
	}
	_, err = fmt.Fprintf(env.streams.Out, "wrote %s, which holds %s\nid            %s\npublishes on  %s\ninbox prefix  %s\n",
		c.Out, until, made.ID, strings.Join(made.Publish, "\n              "), made.Inbox)
	return err
}

func (c *natsCredsCommand) sign(env *environment, config settings.Config, grant authority.Grant, expires time.Time) (*authority.Credentials, error) {
	if c.SigningKey == "" {
		keys, err := authority.Open(natsKeys(config.Data), schemas.StreamSubjects, env.now)
		if err != nil {
			return nil, err
		}
		return keys.Issue(grant, expires)
	}
	seed, err := os.ReadFile(c.SigningKey)
	if err != nil {
		return nil, usageError("--signing-key", c.SigningKey, "cannot read the file", err.Error())
	}
	signer, err := authority.NewSigner(seed, c.Account)
	if err != nil {
		return nil, usageError("--signing-key", c.SigningKey, err.Error(), "nsc shows the keys of an account; write the seed of one into the file")
	}
	return signer.Sign(grant, expires)
}

// Bounds of a district's client: an event with its headers, and the few
// subscriptions that answers need.
const (
	maxClientPayload       = schemas.MaxEventBytes + 8<<10
	maxClientSubscriptions = 16
)

// districtGrant is what a client of a district may do (specification §3): send
// what counts from an office, about projects, and hear the acknowledgements.
func districtGrant(rules *schemas.Rules, district string) (authority.Grant, error) {
	if district == schemas.CityDistrict {
		return authority.Grant{}, usageError("--district", district, "the city office publishes over HTTP only", "make a token for it")
	}
	if _, known := rules.District(district); !known {
		return authority.Grant{}, usageError("--district", schemas.Shorten(district), "no such district", "choose of "+strings.Join(rules.DistrictCodes(), ", ")+", or name the configuration by --config")
	}
	// Answers come below a prefix of the district's own: under the usual
	// _INBOX.> a client would hear those of all others.
	grant := authority.Grant{Name: district, Inbox: producers.InboxPrefix(district), MaxPayload: maxClientPayload, MaxSubscriptions: maxClientSubscriptions}
	for _, t := range schemas.Types() {
		if !t.CityOnly() {
			anyProject := schemas.Event{District: district, Subject: "*", Type: t}
			grant.Publish = append(grant.Publish, anyProject.StreamSubject())
		}
	}
	grant.Never = []string{"milepost.events.*." + schemas.OfficeSubject + ".>"}
	return grant, nil
}

// longestExpiry bounds how long credentials hold, unless they hold for ever.
const longestExpiry = 10 * 366 * 24 * time.Hour

func expiry(now time.Time, given string) (time.Time, error) {
	if given == "never" {
		return time.Time{}, nil
	}
	d, err := time.ParseDuration(given)
	if days, ok := strings.CutSuffix(given, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 12)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d <= 0 || d > longestExpiry {
		return time.Time{}, usageError("--expires", schemas.Shorten(given), "not a time from now", "write 365d, 12h or never; at most 10 years")
	}
	return now.Add(d).Truncate(time.Second), nil
}

func (c *natsCredsCommand) list(env *environment, config settings.Config) error {
	keys, err := authority.Open(natsKeys(config.Data), schemas.StreamSubjects, env.now)
	if err != nil {
		return err
	}
	issued, err := keys.Issued()
	if err != nil {
		return err
	}
	if c.JSON {
		if issued == nil {
			issued = []authority.Issued{}
		}
		return json.NewEncoder(env.streams.Out).Encode(issued)
	}
	out := tabwriter.NewWriter(env.streams.Out, 0, 8, 2, ' ', 0)
	day := func(t *time.Time) string {
		if t == nil {
			return "-"
		}
		return t.In(schemas.Location).Format(time.DateOnly)
	}
	fmt.Fprintln(out, "id\tdistrict\tmade\texpires\trevoked")
	for _, one := range issued {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", one.ID, one.Name, day(&one.Made), day(one.Expires), day(one.Revoked))
	}
	return out.Flush()
}

func (c *natsCredsCommand) revoke(env *environment, config settings.Config) error {
	keys, err := authority.Open(natsKeys(config.Data), schemas.StreamSubjects, env.now)
	if err != nil {
		return err
	}
	err = c.recorded(env, config, "nats-creds.revoke", schemas.Shorten(c.Revoke), func(string) (string, error) { return "", keys.Revoke(c.Revoke) })
	if errors.Is(err, authority.ErrUnknown) {
		return &schemas.Error{Code: schemas.NotFound, Field: "--revoke", Value: schemas.Shorten(c.Revoke), Message: "no such credentials were made here", Hint: "nats-creds --list shows the ids"}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.streams.Out, "revoked %s\n", c.Revoke)
	return err
}
