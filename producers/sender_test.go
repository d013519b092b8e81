package producers_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"milepost/producers"
	"milepost/producers/internal/streamtest"
	"milepost/schemas"
)

func progressOf(id string) schemas.Event {
	return schemas.Event{
		Source: "/offices/shanyang", ID: id, Type: schemas.ProgressReported, Subject: "P-1", District: "shanyang",
		Time: time.Date(2025, 11, 8, 10, 0, 0, 0, schemas.Location),
		Data: &schemas.Progress{Month: schemas.NewMonth(2025, 10), InvestedYTD: schemas.MoneyFromWan(1)},
	}
}

func TestSenderNamesWhatItRefuses(t *testing.T) {
	t.Parallel()
	server := streamtest.Start(t)
	js := server.Dial(t)
	if err := producers.EnsureStream(t.Context(), js, producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	s, err := producers.Connect(t.Context(), server.Address(), producers.ConnectOptions{District: "shanyang"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	elsewhere, without := progressOf("2"), progressOf("3")
	elsewhere.District, without.Data = "nowhere", nil
	raw := schemas.Event{Raw: []byte(`{"id": 7}`)}
	receipts, err := s.Publish(t.Context(), progressOf("1"), elsewhere, without, raw, progressOf("4"))
	if len(receipts) != 5 || receipts[0].Seq != 1 || receipts[4].Seq != 2 {
		t.Errorf("receipts %+v", receipts)
	}
	for _, part := range []string{"event 1: district", "event 2: data", "event 3: "} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in %v", part, err)
		}
	}
	if receipts, err := s.Publish(t.Context()); len(receipts) != 0 || err != nil {
		t.Errorf("nothing: %v %v", receipts, err)
	}
}

func TestSenderThatCannotConnect(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, one := range map[string]struct {
		ctx     context.Context
		servers string
		options producers.ConnectOptions
		code    schemas.Code
	}{
		"nobody there":   {t.Context(), "nats://127.0.0.1:1", producers.ConnectOptions{}, schemas.Unavailable},
		"ended":          {ended, "nats://127.0.0.1:1", producers.ConnectOptions{}, schemas.Unavailable},
		"no such file":   {t.Context(), "nats://127.0.0.1:1", producers.ConnectOptions{Credentials: filepath.Join(t.TempDir(), "none")}, schemas.Unavailable},
		"not a district": {t.Context(), "nats://127.0.0.1:1", producers.ConnectOptions{District: "a.*"}, schemas.Invalid},
		"not a wish":     {t.Context(), "nats://127.0.0.1:1", producers.ConnectOptions{NATS: []nats.Option{nats.RootCAs("none")}}, schemas.Unavailable},
	} {
		s, err := producers.Connect(one.ctx, one.servers, one.options)
		var e *schemas.Error
		if s != nil || !errors.As(err, &e) || e.Code != one.code || e.Hint == "" && e.Code == schemas.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnotherModuleCanUseIt builds and runs a program of its own, with the
// modules that this build has.
func TestAnotherModuleCanUseIt(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	server := streamtest.Start(t)
	if err := producers.EnsureStream(t.Context(), server.Dial(t), producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	required, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	mod := strings.Replace(string(required), "module milepost\n", "module office.example/reports\n", 1) +
		"\nrequire milepost v0.0.0\n\nreplace milepost => " + root + "\n"
	program := `package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"milepost/producers"
	"milepost/schemas"
)

func main() {
	office, err := producers.Connect(context.Background(), os.Args[1], producers.ConnectOptions{})
	if err != nil {
		panic(err)
	}
	defer office.Close()
	receipts, err := office.Publish(context.Background(), schemas.Event{
		Source: "/offices/boai", ID: "another-module", Type: schemas.IssueResolved, Subject: "P-3", District: "boai", Time: time.Now(),
		Data: &schemas.Resolved{IssueID: "1", ResolvedOn: schemas.NewDate(2025, 10, 8)},
	})
	fmt.Println(receipts[0].Seq, err)
}
`
	for name, text := range map[string]string{"go.mod": mod, "go.sum": string(sums), "main.go": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "go", "run", ".", server.Address())
	command.Dir = dir
	command.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off")
	output, err := command.CombinedOutput()
	if err != nil || string(output) != "1 <nil>\n" {
		t.Errorf("%v: %s", err, output)
	}
}
