package deliver

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"milepost/schemas"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestAddressesThatAreRefused(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"8.8.8.8": true, "223.5.5.5": true, "2400:3200::1": true, "172.32.0.1": true, "192.0.1.1": true,
		"127.0.0.1": false, "127.8.9.1": false, "0.0.0.0": false, "10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "198.18.0.1": false, "192.0.0.8": false, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::1": false, "::": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12:3456::1": false, "fec0::1": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001:0:1::": false,
	} {
		if got := admits(netip.MustParseAddr(address), nil); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	allowed, err := ParseNetworks([]string{"10.1.0.0/16", "192.168.1.7", "fd00::/8"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.2.0.1": false, "192.168.1.7": true, "192.168.1.8": false, "fd01::1": true, "127.0.0.1": false} {
		if got := admits(netip.MustParseAddr(address), allowed); got != want {
			t.Errorf("%s with some allowed: %v", address, got)
		}
	}
	if _, err := ParseNetworks([]string{"everything"}); schemas.CodeOf(err) != schemas.Invalid {
		t.Errorf("no network: %v", err)
	}
}

// TestDialsThatAreRefused goes by names, numbers and redirections to a server of
// this machine.
func TestDialsThatAreRefused(t *testing.T) {
	t.Parallel()
	inside := newReceiver(t, says("{}"))
	_, port, _ := strings.Cut(strings.TrimPrefix(inside.URL, "http://"), ":")
	message := &Message{Title: "x", At: newClock().now()}
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "169.254.169.254"} {
		err := NewWebhook("http://"+host+":"+port+"/", "s", nil).Send(t.Context(), message)
		if schemas.CodeOf(err) != schemas.Forbidden || !Permanent(err) {
			t.Errorf("%s: %v", host, err)
		}
	}
	// A receiver that is allowed sends on to one that is not.
	for _, c := range []struct {
		status int
		target string
		code   schemas.Code
	}{
		{http.StatusTemporaryRedirect, "http://127.0.0.2:" + port, schemas.Forbidden},
		{http.StatusPermanentRedirect, "http://10.0.0.1:" + port, schemas.Forbidden},
		{http.StatusPermanentRedirect, "http://[::1]:" + port, schemas.Forbidden},
		{http.StatusFound, inside.URL, schemas.Unavailable}, // it would drop the message
	} {
		outside := httptest.NewServer(http.RedirectHandler(c.target, c.status))
		t.Cleanup(outside.Close)
		err := NewWebhook(outside.URL, "s", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}).Send(t.Context(), message)
		if schemas.CodeOf(err) != c.code {
			t.Errorf("%d to %s: %v", c.status, c.target, err)
		}
	}
	if got := inside.all(); len(got) != 0 {
		t.Errorf("arrived inside: %+v", got)
	}
}

// TestSecretsStayOutOfTexts lets every sender fail in the way that would tell
// most, and looks at errors, records, logs and the overview.
func TestSecretsStayOutOfTexts(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t/word+1"
	c, p, js := newClock(), &press{}, stream(t)
	box := newLetterbox(t, "another")
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// An answer that repeats what it was asked.
		text, _ := json.Marshal(map[string]any{"errcode": 1, "code": 1, "errmsg": r.URL.String() + " " + secret, "msg": r.URL.String() + " " + secret})
		_, _ = w.Write(text)
	}))
	t.Cleanup(echo.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	var log bytes.Buffer
	courier := replica(t, js, c, p, func(c *Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	},
		Target{Name: "mail", Sender: NewMail(MailConfig{Host: "127.0.0.1", Port: box.port, Security: "starttls", User: "u", Password: secret, From: "a@example.cn", To: []string{"b@example.cn"}, TLS: box.trust})},
		Target{Name: "wecom", Sender: NewWeCom(echo.URL+"/send?key="+secret, loopback)},
		Target{Name: "ding", Sender: NewDingTalk(echo.URL+"/send?access_token="+secret, secret, loopback)},
		Target{Name: "feishu", Sender: NewFeishu(echo.URL+"/hook/0123456789-"+secret, secret, loopback)},
		Target{Name: "hook", Sender: NewWebhook(gone.URL+"/"+secret, secret, loopback)},
		Target{Name: "odd", Sender: NewWebhook("http://bad host/"+secret, secret, loopback)})
	pass(t, courier)
	p.publish(c, "month", "2026-10", 10)
	// One target at a time writes to the log's buffer.
	for i := range courier.c.Targets {
		alone := *courier
		alone.c.Targets = courier.c.Targets[i : i+1]
		pass(t, &alone)
	}
	o, err := courier.Overview(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Deliveries) != 6 {
		t.Fatalf("%d deliveries", len(o.Deliveries))
	}
	for _, d := range o.Deliveries {
		if d.State != Waiting || d.Error == "" {
			t.Errorf("%s did not fail: %+v", d.Target, d)
		}
		t.Logf("%s: %s", d.Target, d.Error)
	}
	for _, text := range []string{string(shown), log.String()} {
		for _, form := range []string{secret, "s3cr3t", "word+1", "word%2B1"} {
			if strings.Contains(text, form) {
				t.Errorf("%s is in %s", form, text)
			}
		}
	}
}
