package deploy_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// delivering starts a server that delivers to a folder, to NATS and to the
// webhook.
func delivering(t *testing.T, webhook string) (server *process, folder string) {
	t.Helper()
	dir := t.TempDir()
	folder = filepath.Join(dir, "out")
	config := quickFormats + fmt.Sprintf(`
delivery:
  link: https://milepost.example/v1/editions/{id}
  targets:
    - {name: archive, type: folder, dir: %q, formats: [md, json]}
    - {name: hook, type: webhook, url: %q, secret_file: %q, edition: media, formats: [md], allow_private: [127.0.0.1]}
    - {name: bus, type: nats, kinds: [quarter]}
`, folder, webhook, filepath.Join(dir, "secret"))
	for name, text := range map[string]string{"secret": "of-the-hook\n", "config.yaml": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return serve(t, "--config", filepath.Join(dir, "config.yaml")), folder
}

type deliveries struct {
	Deliveries []struct {
		ID, Target, State, Key, Error string
		Round                         int
		Attempts                      []struct{ Result string }
	}
	Targets []struct{ Target string }
}

// settled asks until the delivery was tried and has the state.
func settled(t *testing.T, server *process, id, target, state string) deliveries {
	t.Helper()
	deadline := time.Now().Add(startTimeout)
	for {
		var all deliveries
		text := server.mustRun(nil, "deliveries", "--json")
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatal(err)
		}
		for _, d := range all.Deliveries {
			if d.ID == id && d.Target == target && d.State == state {
				return all
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s to %s is never %s:\n%s\n%s", id, target, state, text, server.log)
		}
	}
}

// TestPublishedEditionsAreDelivered publishes a bulletin and looks at what
// arrives, byte for byte what was frozen.
func TestPublishedEditionsAreDelivered(t *testing.T) {
	t.Parallel()
	type arrival struct {
		header http.Header
		body   []byte
	}
	arrived := make(chan arrival, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		arrived <- arrival{r.Header.Clone(), body}
	}))
	t.Cleanup(receiver.Close)
	server, folder := delivering(t, receiver.URL)
	server.publish(smallEvents(t, 150))
	server.mustRun(nil, "bulletin", "2025-09", "--publish")
	first := <-arrived // at once: the next look of the scheduler is not waited for
	var message struct {
		ID, Title, Link, Key string
		Figures              []struct{ Name, Value string }
		Files                []struct {
			Name, SHA256 string
			Content      []byte
		}
	}
	if err := json.Unmarshal(first.body, &message); err != nil {
		t.Fatal(err)
	}
	sum := hmac.New(sha256.New, []byte("of-the-hook"))
	fmt.Fprintf(sum, "%s.%s", first.header.Get("Milepost-Timestamp"), first.body)
	if first.header.Get("Milepost-Signature") != "v1="+hex.EncodeToString(sum.Sum(nil)) {
		t.Errorf("the signature does not fit: %v", first.header)
	}
	if message.Link != "https://milepost.example/v1/editions/bulletin-2025-09" || len(message.Files) != 1 || message.Files[0].Name != "bulletin-2025-09-media.md" || len(message.Figures) < 5 {
		t.Errorf("the message: %s", first.body)
	}
	t.Logf("%s %v", message.Title, message.Figures)
	settled(t, server, "bulletin-2025-09", "hook", "delivered")
	settled(t, server, "bulletin-2025-09", "archive", "delivered")
	for name, file := range map[string]string{"bulletin-2025-09.md": filepath.Join(folder, "month", "2025-09", "1", "bulletin-2025-09.md"), "bulletin-2025-09-media.md": ""} {
		status, frozen := server.get(server.HTTP + "/v1/editions/bulletin-2025-09/files/" + name)
		got := message.Files[0].Content
		if file != "" {
			var err error
			if got, err = os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
		if status != http.StatusOK || frozen != string(got) {
			t.Errorf("%s (%d) is not what was frozen", name, status)
		}
	}
	// Once more, under another key.
	server.mustRun(nil, "deliver", "--again", "bulletin-2025-09", "--target", "hook")
	second := <-arrived
	if a, b := first.header.Get("Idempotency-Key"), second.header.Get("Idempotency-Key"); a == "" || a == b || a != message.Key {
		t.Errorf("keys %s, %s", a, b)
	}
	all := settled(t, server, "bulletin-2025-09", "hook", "delivered")
	if len(all.Deliveries) != 2 || len(all.Targets) != 3 {
		t.Errorf("a month went to the target of quarters, or there is more: %+v", all)
	}
	t.Log("\n" + server.mustRun(nil, "deliveries"))
	// Who was given it is told that it was withdrawn.
	server.mustRun(nil, "withdraw", "bulletin-2025-09", "--reason", "数据有误")
	third := <-arrived
	if err := json.Unmarshal(third.body, &message); err != nil || message.ID != "withdrawn.bulletin-2025-09" || !strings.Contains(string(third.body), "原因：数据有误") {
		t.Errorf("after the withdrawal: %v %s", err, third.body)
	}
	settled(t, server, "withdrawn.bulletin-2025-09", "archive", "delivered")
	settled(t, server, "withdrawn.bulletin-2025-09", "hook", "delivered")
	left, err := os.ReadDir(filepath.Join(folder, "month", "2025-09", "1"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range left {
		names = append(names, entry.Name())
	}
	if got, want := strings.Join(names, " "), "bulletin-2025-09.json.withdrawn bulletin-2025-09.md.withdrawn bulletin-2025-09.withdrawn.txt"; got != want {
		t.Errorf("in the folder: %s, want %s", got, want)
	}
	_, scraped := server.get(server.HTTP + "/metrics")
	for _, line := range []string{
		`milepost_deliveries{state="delivered",target="hook"} 2`, `milepost_deliveries{state="delivered",target="archive"} 2`, `milepost_deliveries{state="waiting",target="bus"} 0`,
		`milepost_delivery_target_paused{target="hook"} 0`, `milepost_delivery_failures_in_a_row{target="hook"} 0`, `milepost_delivery_oldest_waiting_seconds{target="hook"} 0`,
		`milepost_edition_build_seconds_count{kind="month"}`, `milepost_schedule_job_failing{job="monthly"} 0`,
	} {
		if !strings.Contains(scraped, "\n"+line) {
			t.Errorf("no metric %s", line)
		}
	}
	for _, wrong := range [][]string{{"--again", "bulletin-2020-01"}, {"--again", "bulletin-2025-09", "--target", "nowhere"}} {
		if r := server.run(nil, append([]string{"deliver"}, wrong...)...); r.code == 0 || !strings.Contains(r.err, "milepost") && !strings.Contains(r.err, "delivery.targets") {
			t.Errorf("%v: exit %d, %s", wrong, r.code, r.err)
		}
	}
}

// deliveries asks the documented routes.
func (a *openAPI) deliveries() {
	a.t.Helper()
	a.post("/v1/deliveries/bulletin-2025-09/again", "", "", 200)
	a.post("/v1/deliveries/bulletin-2025-09/again?target=archive", "", "", 200)
	a.post("/v1/deliveries/bulletin-2025-09/again?target=nowhere", "", "", 404)
	a.post("/v1/deliveries/nothing/again", "", "", 404)
	a.get("/v1/deliveries", 200)
	a.get("/v1/deliveries?limit=1", 200)
	a.get("/v1/deliveries?limit=0", 422)
}
