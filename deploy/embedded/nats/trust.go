package nats

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"

	"milepost/deploy/embedded/nats/authority"
)

// trust makes the options those of a server that lets in only whom the authority knows. It gives the token of the clients'
// account that the server then goes by.
func trust(options *server.Options, a *authority.Authority) (clients string, err error) {
	if a == nil {
		return "", nil
	}
	operator, err := a.Operator()
	if err != nil {
		return "", err
	}
	resolver := new(server.MemAccResolver)
	keep := func(token string, err error) (key string, _ error) {
		if err != nil {
			return "", err
		}
		claims, err := jwt.DecodeAccountClaims(token)
		if err != nil {
			return "", err
		}
		return claims.Subject, resolver.Store(claims.Subject, token)
	}
	holder, err := keep(a.Account())
	if err != nil {
		return "", err
	}
	clients, err = a.Clients()
	if _, err := keep(clients, err); err != nil {
		return "", err
	}
	if _, err := keep(a.System()); err != nil {
		return "", err
	}
	options.TrustedOperators = []*jwt.OperatorClaims{operator}
	options.SystemAccount = operator.SystemAccount
	options.AccountResolver = resolver
	return clients, adoptStreams(options.StoreDir, holder)
}

// adoptStreams gives the account the streams that a server without accounts kept in the same folder. The server keeps
// each account's streams in a folder named by the account, the default one's under $G.
func adoptStreams(storeDir, account string) error {
	kept := filepath.Join(storeDir, server.JetStreamStoreDir)
	own := filepath.Join(kept, account)
	if _, err := os.Stat(own); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := os.Rename(filepath.Join(kept, server.DEFAULT_GLOBAL_ACCOUNT), own)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// watchInterval is how soon a running server learns of a revocation.
const watchInterval = time.Second

// watch tells the server when the authority revokes: when the token of the clients' account is another than the known one.
type watch struct {
	stop  chan struct{}
	ended sync.WaitGroup
}

func startWatch(s *server.Server, a *authority.Authority, known string, log *slog.Logger) *watch {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	w := &watch{stop: make(chan struct{})}
	w.ended.Go(func() {
		ticker := time.NewTicker(watchInterval)
		defer ticker.Stop()
		failed := ""
		for {
			select {
			case <-w.stop:
				return
			case <-ticker.C:
			}
			var err error
			if known, err = relay(s, a, known); err == nil {
				failed = ""
				continue
			}
			if failed != err.Error() { // once, not every second
				failed = err.Error()
				log.Warn("NATS cannot learn who is revoked", "error", err)
			}
		}
	})
	return w
}

// relay gives the token of the clients' account to the server when it is another than the known one.
func relay(s *server.Server, a *authority.Authority, known string) (string, error) {
	token, err := a.Clients()
	if err != nil || token == known {
		return known, err
	}
	claims, err := jwt.DecodeAccountClaims(token)
	if err != nil {
		return known, fmt.Errorf("the token of the clients' account: %w", err)
	}
	account, err := s.LookupAccount(claims.Subject)
	if err != nil {
		return known, err
	}
	if err := s.AccountResolver().Store(claims.Subject, token); err != nil {
		return known, err
	}
	s.UpdateAccountClaims(account, claims)
	return token, nil
}

func (w *watch) end() {
	close(w.stop)
	w.ended.Wait()
}
