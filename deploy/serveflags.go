package deploy

import (
	"reflect"
	"strings"

	"milepost/deploy/settings"
)

// accessFlags are the flags of serve for who may reach the HTTP interface.
type accessFlags struct {
	TLSCert        string   `help:"Certificate with its chain (PEM) of the HTTP interface; read again when it changes." name:"tls-cert" env:"MILEPOST_TLS_CERT" type:"path"`
	TLSKey         string   `help:"Key of the certificate (PEM)." name:"tls-key" env:"MILEPOST_TLS_KEY" type:"path"`
	InsecureListen bool     `help:"Listen beyond this machine without tokens: everybody may then do everything." name:"insecure-listen" env:"MILEPOST_INSECURE_LISTEN"`
	TrustedProxies []string `help:"Addresses or networks of proxies whose X-Forwarded-For is believed." name:"trusted-proxies" env:"MILEPOST_TRUSTED_PROXIES"`
	LateAfterDays  *int     `help:"Days after which an office is told that it reports late (7; 0 never)." name:"late-after-days" env:"MILEPOST_LATE_AFTER_DAYS"`
	RequestRate    int      `help:"Requests a second that a token may send (100)." name:"request-rate" env:"MILEPOST_REQUEST_RATE"`
}

func (f accessFlags) config() settings.AccessConfig { return settings.AccessConfig(f) }

// ownFlags are the keys that have a flag of serve by themselves.
func ownFlags() map[string]string {
	flags := map[string]string{}
	for _, t := range []reflect.Type{reflect.TypeFor[serveCommand](), reflect.TypeFor[accessFlags]()} {
		for i := range t.NumField() {
			variable, named := strings.CutPrefix(t.Field(i).Tag.Get("env"), "MILEPOST_")
			if key := strings.ToLower(variable); named && key != "config" {
				flags[key] = strings.ReplaceAll(key, "_", "-")
			}
		}
	}
	return flags
}

// options lists every option with the flags of serve.
func options() []settings.Option { return settings.Options(ownFlags()) }
