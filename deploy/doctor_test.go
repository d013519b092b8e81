package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/embedded/enginetest"
	"milepost/deploy/settings"
	"milepost/producers"
	"milepost/schemas"
)

// has tells whether a check ended so, and what it found and says to do.
func has(found diagnoses, check string, v verdict, words ...string) bool {
	for _, one := range found {
		if one.Check != check || one.Verdict != v {
			continue
		}
		all := one.Found + " → " + one.Do
		for _, word := range words {
			if !strings.Contains(all, word) {
				all = ""
			}
		}
		if all != "" && (v == healthy) == (one.Do == "") {
			return true
		}
	}
	return false
}

func expect(t *testing.T, found diagnoses, check string, v verdict, words ...string) {
	t.Helper()
	if !has(found, check, v, words...) {
		t.Errorf("no %s of %s with %q and what to do, but:\n%+v", v, check, words, found)
	}
}

func at(year int) func() time.Time {
	return func() time.Time { return time.Date(year, 11, 20, 12, 0, 0, 0, schemas.Location) }
}

func TestDoctorOfBrokenMachines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("secret"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data := filepath.Join(dir, "open")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(data, 0o755); err != nil {
		t.Fatal(err)
	}
	look := func(c settings.Config, year int, variables map[string]string) diagnoses {
		m := &machine{config: c.WithDefaults(), now: at(year), env: func(name string) string { return variables[name] }}
		return m.examine(t.Context())
	}
	missing := filepath.Join(dir, "missing")

	found := look(settings.Config{Data: data, Listen: "nowhere", ClickHousePasswordFile: write("password", 0o644), LogLevel: "loud"}, 2026, map[string]string{"MILEPOST_CACHE": t.TempDir()})
	expect(t, found, "configuration", broken, "listen", "milepost config check")
	expect(t, found, "configuration", broken, "log_level")
	expect(t, found, "engine", broken, "not on this machine", "milepost engine")
	expect(t, found, "data folder", warning, "every user", "chmod")
	expect(t, found, "permission", warning, "password", "chmod")
	expect(t, found, "clock", healthy)
	if found.worst() != broken {
		t.Errorf("the verdict is %s", found.worst())
	}

	found = look(settings.Config{Data: missing, ClickHousePasswordFile: filepath.Join(dir, "nothing"), Bulletins: settings.BulletinsConfig{Editorial: settings.Editorial{Formats: []string{"pdf"}}}}, 1970,
		map[string]string{"MILEPOST_CLICKHOUSE_LIBRARY": missing})
	expect(t, found, "engine", broken, "MILEPOST_CLICKHOUSE_LIBRARY")
	expect(t, found, "data folder", healthy, "first start")
	expect(t, found, "permission", broken, "nothing cannot be read")
	expect(t, found, "clock", broken, "1970", "timedatectl")

	found = look(settings.Config{Data: write("file", 0o600)}, 2031, nil)
	expect(t, found, "data folder", broken, "not a folder")
	expect(t, found, "holidays", warning, "2031", "schedule.calendar")
	expect(t, found, "holidays", warning, "2032")

	c := settings.Config{Data: missing}
	c.Documents.Browser = filepath.Join(dir, "chromium")
	expect(t, look(c, 2026, nil), "Chromium", warning, "apt-get install chromium")
	c.Bulletins.Formats = []string{"pdf"}
	expect(t, look(c, 2026, nil), "Chromium", broken, "no PDF")

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	m := &machine{config: settings.Config{Listen: taken.Addr().String(), ClickHouseListen: "127.0.0.1:0"}.WithDefaults(), now: at(2026), env: os.Getenv}
	expect(t, m.ports(), "port", broken, "listen "+taken.Addr().String(), "choose another address")
	expect(t, m.ports(), "port", healthy, "clickhouse_listen")
}

// TestDoctorOfABrokenStream looks at streams that lack messages, that nobody consumes, and whose clock is another.
func TestDoctorOfABrokenStream(t *testing.T) {
	t.Parallel()
	conn, err := enginetest.NATS(t).Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	a := &App{conn: conn, js: js, now: time.Now}
	look := func() diagnoses {
		var found diagnoses
		a.examineStream(t.Context(), &found)
		return found
	}
	expect(t, look(), "stream", warning, "no server ever ran here")
	if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	found := look()
	for _, check := range []string{"NATS", "stream", "clocks", "replicas", "lag"} {
		expect(t, found, check, healthy)
	}
	if _, err := js.Publish(t.Context(), "milepost.events.shanyang.P-0001.progress.reported", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	expect(t, look(), "lag", broken, "1 events are not in the warehouse, and no consumer runs", "consumers")
	a.now = func() time.Time { return time.Now().Add(-time.Minute) }
	expect(t, look(), "clocks", warning, "1m0s apart")
	a.now = func() time.Time { return time.Now().Add(time.Hour) }
	expect(t, look(), "clocks", broken, "runs nothing", "NTP")

	if err := js.DeleteStream(t.Context(), schemas.StreamName); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: schemas.StreamName, FirstSeq: 8}); err != nil {
		t.Fatal(err)
	}
	expect(t, look(), "stream", broken, "begins at 8", "milepost restore")

	cluster := func(leader string, replicas int, peers ...*jetstream.PeerInfo) diagnoses {
		var found diagnoses
		examineReplicas(&jetstream.StreamInfo{Config: jetstream.StreamConfig{Replicas: replicas}, Cluster: &jetstream.ClusterInfo{Name: "c", Leader: leader, Replicas: peers}}, &found)
		return found
	}
	good, late := &jetstream.PeerInfo{Name: "n2", Current: true}, &jetstream.PeerInfo{Name: "n3", Offline: true}
	expect(t, cluster("n1", 3, good, good), "replicas", healthy, "3 servers")
	expect(t, cluster("n1", 3, good, late), "replicas", broken, "n3")
	expect(t, cluster("", 3, good, good), "replicas", broken, "no leader")
	expect(t, cluster("n1", 1), "replicas", warning, "--replicas 3")
	conn.Close()
	expect(t, look(), "NATS", broken, "does not answer")
}

// TestDoctorCommand runs the command on set-ups without engines: its exit code says whether something is broken.
func TestDoctorCommand(t *testing.T) {
	t.Parallel()
	run := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		code := Run(context.Background(), append([]string{"doctor"}, args...), Streams{nil, &out, &errs}, at(2026))
		return code, out.String() + errs.String()
	}
	data := filepath.Join(t.TempDir(), "data")
	code, said := run("--data", data, "--listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0", "--json")
	var report struct {
		Verdict verdict
		Checks  diagnoses
	}
	if err := json.Unmarshal([]byte(said), &report); err != nil || code != 0 || report.Verdict == broken {
		t.Errorf("a machine before its first start: exit %d, %v\n%s", code, err, said)
	}
	expect(t, report.Checks, "server", healthy, "never ran")
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("the doctor made the data folder: %v", err)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--set", "report_day=50"}, "out of range"},
		{[]string{"--set", "no=1"}, "no such option"},
		{[]string{"--config", filepath.Join(data, "none.yaml")}, "no configuration file"},
		{[]string{"--nats", "nats://127.0.0.1:1", "--clickhouse", "http://127.0.0.1:1/default", "--target", "consumers"}, "NATS does not answer"},
	} {
		code, said := run(append(c.args, "--data", data, "--listen", "127.0.0.1:0", "--clickhouse-listen", "127.0.0.1:0")...)
		if code != 1 || !strings.Contains(said, c.says) || !strings.Contains(said, "error") {
			t.Errorf("%v: exit %d\n%s", c.args, code, said)
		}
	}
}
