package deploy

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

func (c AccessConfig) lateAfterDays() int {
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
	if days := c.lateAfterDays(); days < 0 || days > 3660 {
		add("late_after_days", "out of range", "from 0 (never) to 3660")
	}
	if c.RequestRate < 0 || c.RequestRate > 100_000 {
		add("request_rate", "out of range", "from 1 to 100000 requests a second, by default 100")
	}
	return wrong
}

// accessFlags are the flags of serve for AccessConfig.
type accessFlags struct {
	TLSCert        string   `help:"Certificate with its chain (PEM) of the HTTP interface; read again when it changes." name:"tls-cert" env:"MILEPOST_TLS_CERT" type:"path"`
	TLSKey         string   `help:"Key of the certificate (PEM)." name:"tls-key" env:"MILEPOST_TLS_KEY" type:"path"`
	InsecureListen bool     `help:"Listen beyond this machine without tokens: everybody may then do everything." name:"insecure-listen" env:"MILEPOST_INSECURE_LISTEN"`
	TrustedProxies []string `help:"Addresses or networks of proxies whose X-Forwarded-For is believed." name:"trusted-proxies" env:"MILEPOST_TRUSTED_PROXIES"`
	LateAfterDays  *int     `help:"Days after which an office is told that it reports late (7; 0 never)." name:"late-after-days" env:"MILEPOST_LATE_AFTER_DAYS"`
	RequestRate    int      `help:"Requests a second that a token may send (100)." name:"request-rate" env:"MILEPOST_REQUEST_RATE"`
}

func (f accessFlags) config() AccessConfig { return AccessConfig(f) }
