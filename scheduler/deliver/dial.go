package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"milepost/schemas"
)

// refusedNetworks are those that no delivery goes to unless they are allowed:
// this machine, private networks, and addresses that stand for something else.
// An address is looked at after resolution, at each dial, so that neither a
// name nor a redirection leads in.
var refusedNetworks = func() []netip.Prefix {
	var list []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
		"::/127", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}()

// admits tells whether an address may be dialled.
func admits(address netip.Addr, allowed []netip.Prefix) bool {
	address = address.Unmap().WithZone("")
	for _, network := range allowed {
		if network.Contains(address) {
			return true
		}
	}
	for _, network := range refusedNetworks {
		if network.Contains(address) {
			return false
		}
	}
	return address.IsValid()
}

// ParseNetworks reads addresses and networks, such as 10.0.3.7 and 10.0.0.0/8.
func ParseNetworks(list []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range list {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			address, addressErr := netip.ParseAddr(text)
			if addressErr != nil {
				return nil, &schemas.Error{Code: schemas.Invalid, Message: "not an address or network", Value: schemas.Shorten(text), Hint: "write 10.0.3.7 or 10.0.0.0/8"}
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

const (
	maxRedirects = 3
	maxAnswer    = 64 << 10
	maxPause     = 24 * time.Hour
)

// newClient gives a client that dials only addresses that are admitted. It
// takes no proxy of the environment, since a proxy would dial instead.
func newClient(allowed []netip.Prefix) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err == nil && admits(at.Addr(), allowed) {
			return nil
		}
		return &schemas.Error{Code: schemas.Forbidden, Message: "the address is of this machine or a private network", Value: address, Hint: "allow it by allow_private of the target, if it is meant"}
	}}
	return &http.Client{
		Transport: &http.Transport{Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: time.Minute, MaxIdleConns: 10},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch {
			case len(via) > maxRedirects:
				return errors.New("too many redirections")
			case r.Method != via[0].Method:
				return errors.New("the redirection would drop the message; only 307 and 308 keep it")
			case via[0].URL.Scheme == "https" && r.URL.Scheme != "https":
				return &schemas.Error{Code: schemas.Forbidden, Message: "the redirection leaves https"}
			}
			return nil
		},
	}
}

// post sends a body and gives the answer of status 2xx. The address is kept out
// of errors but for its host, since it may be a secret as a whole.
func post(ctx context.Context, client *http.Client, address string, header http.Header, body []byte, at time.Time) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, failure("the address does not read", nil)
	}
	request.Header = header
	response, err := client.Do(request)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err // without the address
		}
		var forbidden *schemas.Error
		if errors.As(err, &forbidden) && forbidden.Code == schemas.Forbidden {
			return nil, forbidden
		}
		return nil, failure(request.URL.Host+" does not answer", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case response.StatusCode == http.StatusRequestEntityTooLarge:
		return nil, &schemas.Error{Code: schemas.TooLarge, Message: request.URL.Host + " refuses the message for its size"}
	case response.StatusCode >= 300:
		failed := failure(fmt.Sprintf("%s answered %d", request.URL.Host, response.StatusCode), nil)
		if pause := pauseAsked(response.Header.Get("Retry-After"), at); pause > 0 {
			return nil, &later{failed, pause}
		}
		return nil, failed
	case err != nil:
		return nil, failure(request.URL.Host+" broke off its answer", err)
	}
	return answer, nil
}

// pauseAsked reads a Retry-After, in seconds or as a time.
func pauseAsked(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return min(time.Duration(max(0, min(seconds, 1<<30)))*time.Second, maxPause)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(0, at.Sub(now)), maxPause)
	}
	return 0
}
