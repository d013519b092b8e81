package deploy

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"milepost/deploy/access"
	"milepost/deploy/embedded/assets"
	"milepost/deploy/embedded/dirlock"
	"milepost/deploy/settings"
)

// doctorCommand checks a server that runs, or one that is to run, by the same flags, variables and file.
type doctorCommand struct {
	serveCommand
	Token string `env:"MILEPOST_TOKEN" help:"An admin's token, for a server of another user." placeholder:"TOKEN"`
	JSON  bool   `help:"Print the checks as JSON." name:"json"`
}

// Run prints a line for each check and what to do; exit 1 if something is broken.
func (c *doctorCommand) Run(env *environment) error {
	config, err := c.configuration()
	var found diagnoses
	if err != nil {
		found.fail("configuration", "see milepost config check", "%v", err)
		return errors.Join(found.print(env.streams.Out, c.JSON), errRefused)
	}
	config = config.WithDefaults()
	m := &machine{config: config, now: env.now, env: os.Getenv}
	found = m.examine(env.ctx)
	found = append(found, c.server(env, m)...)
	if err := found.print(env.streams.Out, c.JSON); err != nil {
		return err
	}
	if found.worst() == broken {
		return errRefused
	}
	return nil
}

// server asks the server that listens where the configuration says, or looks at what it would find.
func (c *doctorCommand) server(env *environment, m *machine) diagnoses {
	address := "http://" + reachable(m.config.Listen)
	if m.config.TLSCert != "" {
		address = "https://" + reachable(m.config.Listen)
	}
	token := c.Token
	if token == "" {
		token = operatorToken(address)
	}
	client := &client{base: address, http: httpClient(address, token)}
	request, err := http.NewRequestWithContext(env.ctx, http.MethodGet, address+"/v1/doctor", nil)
	if err != nil {
		return nil
	}
	response, err := client.http.Do(request)
	if err != nil {
		return c.stopped(env, m)
	}
	defer response.Body.Close()
	var found diagnoses
	if response.StatusCode != http.StatusOK {
		found.warn("server", "give an admin's token by MILEPOST_TOKEN, or ask as the user who runs the server", "%s answers, but tells this user nothing: %v", address, problemOf(response))
		return found
	}
	var inside diagnoses
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&inside); err != nil {
		found.fail("server", "is this a Milepost server of the same version?", "%s answers something else: %v", address, err)
		return found
	}
	found.ok("server", "it runs at %s", address)
	return append(found, inside...)
}

// reachable is where one's own machine reaches a listener.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// stopped checks what a server that does not run would find: the servers that it is to use, or the engines on its data.
func (c *doctorCommand) stopped(env *environment, m *machine) (found diagnoses) {
	found = m.ports()
	if len(settings.Each(m.config.Check())) > 0 {
		return found
	}
	embedded := m.config.Has(settings.TargetEngines) && (m.config.NATS == "" || m.config.ClickHouse == "")
	if embedded {
		if _, err := os.Stat(filepath.Join(m.config.Data, "nats")); err != nil {
			found.ok("server", "it does not run, and never ran on %s", m.config.Data)
			return found
		}
		found.ok("server", "it does not run; its engines were started to look at the data")
	}
	if !embedded && (m.config.NATS == "" || m.config.ClickHouse == "") {
		return found // a process without engines and without their addresses; told with the configuration
	}
	if library, err := (assets.Store{Getenv: m.env}).Present(); embedded && (err != nil || library == "") {
		return found // told with the engine; a doctor fetches nothing
	}
	room, err := openRoom(env, m.config)
	switch {
	case errors.Is(err, dirlock.ErrHeld):
		found.fail("server", "ask it where it listens: milepost doctor --listen H:P, or end it", "another process holds the data: %v", err)
		return found
	case err != nil:
		found.fail("engines", "see the message; the data is as it was", "%v", err)
		return found
	}
	defer func() {
		if err := room.close(); err != nil {
			found.fail("engines", "see the message", "%v", err)
		}
	}()
	found = append(found, room.app.examine(env.ctx)...)
	store, err := access.OpenStore(env.ctx, room.app.js, env.now, room.app.log)
	if err != nil {
		found.fail("tokens", "check NATS", "%v", err)
		return found
	}
	defer store.Close()
	return append(found, room.app.tokensExamined(store)...)
}
