package deploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"milepost/deploy/access"
	"milepost/schemas"
)

// tokenCommand makes, lists and revokes tokens.
type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token and print it, once."`
	List   tokenListCommand   `cmd:"" help:"List the tokens, without their secrets."`
	Revoke tokenRevokeCommand `cmd:"" help:"End a token for good."`
}

// tokenPlace is where the tokens are: those of a running server, asked with an
// admin's token or, on its machine, by the user who runs it; or those that a
// data folder or a NATS server keeps, while no server of this machine runs.
type tokenPlace struct {
	server
	Data      string `help:"The data folder of a server that does not run, instead of a running one." type:"path" placeholder:"DIR" xor:"place"`
	NATS      string `help:"The NATS servers that keep the tokens, instead of a running server." name:"nats" placeholder:"URL" xor:"place"`
	NATSCreds string `help:"Credentials file for those NATS servers." name:"nats-creds" type:"path" placeholder:"FILE"`
}

// desk is where a command does its work.
type desk interface {
	create(env *environment, wish access.Wish) (access.Created, error)
	list(env *environment) ([]access.Token, error)
	revoke(env *environment, id string) (access.Token, error)
}

// at runs the work where the tokens are.
func (p tokenPlace) at(env *environment, work func(desk) error) error {
	if p.Data != "" || p.NATS != "" {
		return p.direct(env, work)
	}
	if p.Token == "" {
		p.Token = operatorToken(p.Server)
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	return work(overHTTP{client})
}

type tokenCreateCommand struct {
	tokenPlace
	Role         string   `required:"" help:"office (publishes for its districts), department (its issues and progress), analyst (reads), editor (reads, publishes bulletins), admin (everything)."`
	District     []string `help:"District code that an office sends for; city is the city office. May be given again."`
	Department   []string `help:"Department that a department's events name. May be given again."`
	SourcePrefix string   `help:"Beginning of the source of its events (/offices/DISTRICT)." name:"source-prefix" placeholder:"PREFIX"`
	Type         []string `help:"Type of event that it sends, such as progress.reported.v1 (all). May be given again."`
	Name         string   `help:"What people call the token." placeholder:"TEXT"`
	Expires      string   `help:"How long it is valid, such as 90d or 12h (for ever)." placeholder:"TIME"`
	JSON         bool     `help:"Print {id, token, role, districts, expires} and the rest as JSON."`
}

// Run makes the token. The secret is shown here and never again.
func (c *tokenCreateCommand) Run(env *environment) error {
	wish := access.Wish{
		Role: schemas.Role(c.Role), Name: c.Name, Districts: c.District, Departments: c.Department, SourcePrefix: c.SourcePrefix, Expires: c.Expires,
	}
	for _, t := range c.Type {
		wish.Types = append(wish.Types, schemas.Type(t))
	}
	return c.at(env, func(d desk) error {
		created, err := d.create(env, wish)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.streams.Out, created)
		}
		fmt.Fprintf(env.streams.Err, "milepost: token %s of role %s%s, valid %s; it is shown only now\n", created.ID, created.Role, boundTo(created.Token), validUntil(created.Token))
		_, err = fmt.Fprintln(env.streams.Out, created.Text)
		return err
	})
}

func boundTo(t access.Token) string {
	bound := append(append([]string{}, t.Districts...), t.Departments...)
	if len(bound) == 0 {
		return ""
	}
	return " for " + strings.Join(bound, ", ")
}

func validUntil(t access.Token) string {
	if t.Expires == nil {
		return "for ever"
	}
	return "until " + shanghai(*t.Expires)
}

func shanghai(t time.Time) string { return t.In(schemas.Location).Format(time.DateTime) }

type tokenListCommand struct {
	tokenPlace
	JSON bool `help:"Print JSON."`
}

// Run lists the tokens.
func (c *tokenListCommand) Run(env *environment) error {
	return c.at(env, func(d desk) error {
		tokens, err := d.list(env)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.streams.Out, tokens)
		}
		out := tabwriter.NewWriter(env.streams.Out, 0, 8, 2, ' ', 0)
		fmt.Fprintln(out, "编号\t名称\t角色\t单位\t来源\t创建时间\t有效期\t状态")
		now := env.now()
		for _, t := range tokens {
			bound := strings.Join(append(append([]string{}, t.Districts...), t.Departments...), ",")
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, orDash(t.Name), t.Role, orDash(bound), orDash(t.SourcePrefix), shanghai(t.Created), validUntil(t), tokenStates[t.State(now)])
		}
		return out.Flush()
	})
}

var tokenStates = map[string]string{"valid": "有效", "expired": "已过期", "revoked": "已吊销"}

type tokenRevokeCommand struct {
	tokenPlace
	ID   string `arg:"" help:"Id of the token, as the list shows it."`
	JSON bool   `help:"Print JSON."`
}

// Run revokes the token.
func (c *tokenRevokeCommand) Run(env *environment) error {
	return c.at(env, func(d desk) error {
		token, err := d.revoke(env, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.streams.Out, token)
		}
		_, err = fmt.Fprintf(env.streams.Out, "token %s (%s) was revoked on %s by %s\n", token.ID, orDash(token.Name), shanghai(*token.Revoked), token.RevokedBy)
		return err
	})
}

func printJSON(w io.Writer, value any) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return out.Encode(value)
}

// overHTTP asks a running server.
type overHTTP struct{ client *client }

func (o overHTTP) create(env *environment, wish access.Wish) (created access.Created, err error) {
	body, err := json.Marshal(wish)
	if err != nil {
		return created, err
	}
	err = o.ask(env, "/v1/tokens", body, &created)
	return created, err
}

func (o overHTTP) list(env *environment) (tokens []access.Token, err error) {
	err = o.ask(env, "/v1/tokens", nil, &tokens)
	return tokens, err
}

func (o overHTTP) revoke(env *environment, id string) (token access.Token, err error) {
	err = o.ask(env, "/v1/tokens/"+url.PathEscape(id)+"/revoke", []byte("{}"), &token)
	return token, err
}

// ask posts the body, or gets without one, and decodes the answer.
func (o overHTTP) ask(env *environment, path string, body []byte, answer any) error {
	var response io.ReadCloser
	var err error
	if body == nil {
		response, err = o.client.get(env.ctx, path, nil)
	} else {
		response, err = o.client.post(env.ctx, path, nil, "application/json", bytes.NewReader(body))
	}
	if err != nil {
		return err
	}
	defer response.Close()
	if err := json.NewDecoder(response).Decode(answer); err != nil {
		return fmt.Errorf("the server's answer does not read: %w", err)
	}
	return nil
}
