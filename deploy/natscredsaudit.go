package deploy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/access"
	"milepost/deploy/settings"
)

// recorded does what the audit of the running server should know. The keys are in
// the data folder, and the command works on them without a server: what no audit
// could take is done all the same, and said.
func (c *natsCredsCommand) recorded(env *environment, config settings.Config, action, target string, act func(by string) (string, error)) error {
	trail, closeTrail, err := openAudit(env, config)
	if err != nil {
		if c.NATS != "" {
			return err // the audit was asked for
		}
		_, err := act("")
		if err == nil {
			_, err = fmt.Fprintln(env.streams.Err, "not recorded in an audit: name the running server's NATS by --nats to have it there")
		}
		return err
	}
	return errors.Join(offline{trail: trail}.recorded(env, action, target, act), closeTrail())
}

// errNoNATS tells that no address of a running server is known.
var errNoNATS = errors.New("no NATS is named")

// openAudit reaches the audit of the configured NATS, or of the embedded one
// where it listens.
func openAudit(env *environment, config settings.Config) (*access.Trail, func() error, error) {
	address := config.NATS
	if address == "" && config.NATSListen != "" {
		address = "nats://" + config.NATSListen
	}
	if address == "" {
		return nil, nil, errNoNATS
	}
	a := &App{config: settings.Config{NATS: address, NATSCreds: config.NATSCreds}.WithDefaults(), now: env.now, log: slog.New(slog.DiscardHandler)}
	conn, err := a.connectNATS()
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	trail, err := access.OpenTrail(env.ctx, js, env.now, a.log)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return trail, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(env.ctx), closeTimeout)
		defer cancel()
		defer conn.Close()
		return trail.Close(ctx)
	}, nil
}
