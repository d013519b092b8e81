package access

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"milepost/schemas"
)

// Loopback tells whether only this machine reaches a listener on the address
// host:port. An empty host is every address.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopbackHost(host)
}

func loopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// checkHost refuses a request to a name that is not this machine's: a page of
// a stranger can let its own name point here (DNS rebinding), and the browser
// then takes the server for the page's. Nobody has to say who they are, so the
// name is all that tells them apart.
func checkHost(r *http.Request) *schemas.Error {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if loopbackHost(strings.Trim(host, "[]")) {
		return nil
	}
	return &schemas.Error{Code: schemas.Forbidden, Field: "Host", Value: schemas.Shorten(host), Message: "the server has no tokens and answers to localhost only", Hint: "use http://127.0.0.1, or create tokens"}
}

// checkOrigin refuses what a page of another site makes a browser send.
func checkOrigin(r *http.Request) *schemas.Error {
	if http.NewCrossOriginProtection().Check(r) == nil {
		return nil
	}
	return &schemas.Error{Code: schemas.Forbidden, Field: "Origin", Value: schemas.Shorten(r.Header.Get("Origin")), Message: "a page of another site sent this", Hint: "create tokens; pages of other sites cannot know them"}
}

// ParseProxies reads addresses and networks, such as 10.0.0.0/8.
func ParseProxies(list []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range list {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			var address netip.Addr
			if address, err = netip.ParseAddr(text); err == nil {
				prefix = netip.PrefixFrom(address, address.BitLen())
			}
		}
		if err != nil {
			return nil, &schemas.Error{Code: schemas.Invalid, Field: "trusted_proxies", Value: schemas.Shorten(text), Message: "not an address", Hint: "write 192.0.2.7 or 10.0.0.0/8"}
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}

// remoteOf gives the address that a request came from: that of the connection
// or, behind trusted proxies, the last one that the first of them did not
// trust. What a stranger writes into the header before that is not believed.
func remoteOf(r *http.Request, trusted []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if !within(host, trusted) {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		address, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		host = address.Unmap().WithZone("").String()
		if !within(host, trusted) {
			break
		}
	}
	return host
}

func within(host string, trusted []netip.Prefix) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, prefix := range trusted {
		if prefix.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}

// network is what a limit on strangers counts by: an IPv6 address stands for
// the network that its owner has.
func network(host string) string {
	address, err := netip.ParseAddr(host)
	if err != nil || address.Unmap().Is4() {
		return host
	}
	prefix, err := address.Prefix(64)
	if err != nil {
		return host
	}
	return prefix.String()
}
