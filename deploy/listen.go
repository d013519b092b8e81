package deploy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"milepost/deploy/access"
	"milepost/schemas"
)

// startHTTP serves the HTTP interface of the roles.
func (a *App) startHTTP(ctx, background context.Context) error {
	if err := a.mayListen(); err != nil {
		return err
	}
	var secured *tls.Config
	if a.config.TLSCert != "" {
		var err error
		if secured, err = access.TLSConfig(a.config.TLSCert, a.config.TLSKey, a.now, a.log); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", a.config.Listen)
	if err != nil {
		return &schemas.Error{Code: schemas.Unavailable, Field: "listen", Value: a.config.Listen, Message: "cannot listen", Hint: "choose another address by --listen; port 0 takes a free one", Err: err}
	}
	operator := access.NewOperator()
	handler, err := a.handler(operator)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	a.warmPages(ctx, background)
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		TLSConfig: secured, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	server.RegisterOnShutdown(a.longRuns.end)
	a.HTTP = "http://" + listener.Addr().String()
	serve := func() error { return server.Serve(listener) }
	if secured != nil {
		a.HTTP = "https://" + listener.Addr().String()
		serve = func() error { return server.ServeTLS(listener, "", "") }
	}
	a.group.Go(func() error {
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("HTTP: %w", err)
		}
		return nil
	})
	a.fetchPageScript(background)
	forget := a.shareOperator(listener.Addr().String(), operator)
	a.closers = append(a.closers, func(ctx context.Context) error {
		return errors.Join(forget(ctx), server.Shutdown(ctx))
	})
	a.sayWhoMay()
	return nil
}

func (a *App) handler(operator string) (http.Handler, error) {
	routes, err := a.routes()
	if err != nil {
		return nil, err
	}
	return a.guarded(routes, operator)
}

// mayListen refuses to serve everybody who comes from beyond this machine.
func (a *App) mayListen() error {
	if access.Loopback(a.config.Listen) || a.tokens.Used() || a.config.InsecureListen {
		return nil
	}
	return &schemas.Error{
		Code: schemas.Forbidden, Field: "listen", Value: a.config.Listen, Message: "without tokens the server listens on this machine only, since everybody who reaches it may do everything",
		Hint: "make a token first: milepost token create --role admin --data DIR (or --nats URL) while no server runs on it; or listen on 127.0.0.1; or take the risk with --insecure-listen",
	}
}

// sayWhoMay tells the operator in a line what protects the server.
func (a *App) sayWhoMay() {
	local := access.Loopback(a.config.Listen)
	switch {
	case !a.tokens.Used() && local:
		a.say("no tokens yet: the server listens on this machine only, and everybody on it may do everything; milepost token create --role admin ends that")
	case !a.tokens.Used():
		a.say("INSECURE: no tokens, and everybody who reaches " + a.config.Listen + " may do everything; milepost token create --role admin ends that")
	case !local && a.config.TLSCert == "":
		a.say("tokens travel in clear text to " + a.config.Listen + "; give --tls-cert and --tls-key, or let a proxy do TLS")
	}
}

func (a *App) say(line string) {
	if a.out.Err != nil {
		fmt.Fprintln(a.out.Err, "milepost:", line)
	}
}

// shareOperator leaves the operator's token for commands of the same user on
// this machine. Where there is no place for it the server goes on without.
func (a *App) shareOperator(address, token string) (forget func(context.Context) error) {
	path, err := sharedFile(operatorFile, address)
	if err == nil {
		forget, err = share(path, []byte(token))
	}
	if err != nil {
		a.log.Warn("the operator's token cannot be shared; the token command needs an admin's token, --data or --nats", "error", err)
		return func(context.Context) error { return nil }
	}
	return forget
}

// operatorFile begins the name of the file that the operator's token is in.
const operatorFile = "http"
