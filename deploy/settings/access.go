package settings

import (
	"milepost/deploy/access"
	"milepost/schemas"
)

// AccessConfig says who may reach the HTTP interface and how. Its members are
// those of Config.
type AccessConfig struct {
	// TLSCert and TLSKey are PEM files; both or neither.
	TLSCert string `yaml:"tls_cert"`
	TLSKey  string `yaml:"tls_key"`
	// InsecureListen lets the server listen beyond this machine though it has
	// no tokens: everybody who reaches it may then do everything.
	InsecureListen bool `yaml:"insecure_listen"`
	// TrustedProxies are addresses and networks whose X-Forwarded-For is
	// believed.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// LateAfterDays is from how many days between an event's own time and its
	// receipt on an office is told that it reports late, by default 7; 0 never.
	LateAfterDays *int `yaml:"late_after_days"`
	// RequestRate is how many requests a second a token may send, by default
	// 100.
	RequestRate int `yaml:"request_rate"`
}

const defaultLateAfterDays = 7

// LateAfter gives the days after which an office reports late; 0 is never.
func (c AccessConfig) LateAfter() int {
	if c.LateAfterDays == nil {
		return defaultLateAfterDays
	}
	return *c.LateAfterDays
}

// or takes the other value where c's is not set.
func (c AccessConfig) or(other AccessConfig) AccessConfig {
	if c.TLSCert == "" && c.TLSKey == "" {
		c.TLSCert, c.TLSKey = other.TLSCert, other.TLSKey
	}
	c.InsecureListen = c.InsecureListen || other.InsecureListen
	if len(c.TrustedProxies) == 0 {
		c.TrustedProxies = other.TrustedProxies
	}
	if c.LateAfterDays == nil {
		c.LateAfterDays = other.LateAfterDays
	}
	if c.RequestRate == 0 {
		c.RequestRate = other.RequestRate
	}
	return c
}

func (c AccessConfig) check() []error {
	var wrong []error
	add := func(field, message, hint string) {
		wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: field, Message: message, Hint: hint})
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		add("tls_cert", "certificate and key go together", "give both tls_cert and tls_key, or neither")
	}
	if _, err := access.ParseProxies(c.TrustedProxies); err != nil {
		wrong = append(wrong, err)
	}
	if days := c.LateAfter(); days < 0 || days > 3660 {
		add("late_after_days", "out of range", "from 0 (never) to 3660")
	}
	if c.RequestRate < 0 || c.RequestRate > 100_000 {
		add("request_rate", "out of range", "from 1 to 100000 requests a second, by default 100")
	}
	return wrong
}
