package deploy

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"

	natsclient "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/access"
	"milepost/deploy/settings"
	"milepost/schemas"
)

// direct works on what keeps the tokens, without a server: who has the data
// folder, or may write to the NATS servers, has every right anyway. It is how
// the first token of a server is made that is to listen beyond its machine, and
// the way back in when the admins' tokens are lost.
func (p tokenPlace) direct(env *environment, work func(desk) error) (err error) {
	log := slog.New(slog.DiscardHandler)
	config := settings.Config{Data: p.Data, NATS: p.NATS, NATSCreds: p.NATSCreds}.WithDefaults()
	if p.Data != "" {
		if _, err := os.Stat(filepath.Join(p.Data, "nats")); errors.Is(err, fs.ErrNotExist) {
			return usageError("--data", p.Data, "no server ever ran on this folder", "give the folder of milepost serve --data, or start the server once on 127.0.0.1")
		}
	}
	a := &App{config: config, now: env.now, log: log, out: env.streams}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		for len(a.closers) > 0 {
			err = errors.Join(err, a.closeLast(ctx))
		}
	}()
	if p.Data != "" {
		if err := a.startNATS(); err != nil {
			return err
		}
	}
	conn, err := a.connectNATS()
	if err != nil {
		return err
	}
	a.closers = append(a.closers, func(context.Context) error { conn.Close(); return nil })
	return p.withStore(env, a, conn, work)
}

func (p tokenPlace) withStore(env *environment, a *App, conn *natsclient.Conn, work func(desk) error) error {
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	store, err := access.OpenStore(env.ctx, js, env.now, a.log)
	if err != nil {
		return err
	}
	defer store.Close()
	trail, err := access.OpenTrail(env.ctx, js, env.now, a.log)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, trail.Close)
	return work(offline{store, trail})
}

// offline works on the tokens themselves.
type offline struct {
	tokens *access.Store
	trail  *access.Trail
}

// operatorName is the actor of what is done without a server.
func operatorName() string {
	name := "operator:"
	if u, err := user.Current(); err == nil {
		return name + u.Username
	}
	return name + "unknown"
}

// recorded does what the audit must know: first that it is begun, then how it
// ended.
func (o offline) recorded(env *environment, action, target string, act func(by string) (string, error)) error {
	record := &schemas.AuditRecord{Action: action, Actor: operatorName(), Remote: "local", Target: target, Result: schemas.AuditBegun, Requests: 1}
	if err := o.trail.Write(env.ctx, record); err != nil {
		return err
	}
	made, err := act(record.Actor)
	record.Result = schemas.AuditDone
	if made != "" {
		record.Target = made
	}
	if err != nil {
		record.Result, record.Code = schemas.AuditRefused, schemas.CodeOf(err)
	}
	return errors.Join(err, o.trail.Write(context.WithoutCancel(env.ctx), record))
}

func (o offline) create(env *environment, wish access.Wish) (created access.Created, err error) {
	err = o.recorded(env, "token.create", "", func(by string) (string, error) {
		// The districts are in a configuration that is not read here.
		var err error
		created.Token, created.Text, err = o.tokens.Create(env.ctx, wish, by, nil)
		return created.ID, err
	})
	return created, err
}

func (o offline) list(*environment) ([]access.Token, error) { return o.tokens.List(), nil }

func (o offline) revoke(env *environment, id string) (token access.Token, err error) {
	err = o.recorded(env, "token.revoke", id, func(by string) (string, error) {
		var err error
		token, err = o.tokens.Revoke(env.ctx, id, by)
		return "", err
	})
	return token, err
}
