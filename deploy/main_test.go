package deploy_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"milepost/deploy"
)

// TestMain lets the test binary be the milepost command: every server of these
// tests is a process of its own, as it is for a user.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"milepost": func() { os.Exit(deploy.Main(os.Args[1:])) }})
}

// commandPath is where testscript put the milepost command.
func commandPath(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("milepost")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// process is a running server.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	log    *bytes.Buffer
	ended  chan error
	HTTP   string
	CH     string
	NATS   string
	stdout chan string
}

// startTimeout is generous: the machines of the tests are small and shared.
const startTimeout = 2 * time.Minute

// quickFormats keeps tests that do not look at printed files from printing
// them: a PDF costs seconds of a browser.
const quickFormats = "bulletins: {formats: [json, md]}\n"

// serve starts a server on free ports and waits until it is ready.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	given := strings.Join(args, " ")
	for _, flag := range []string{"--listen", "--clickhouse-listen", "--nats-listen"} {
		if !strings.Contains(given, flag+" ") {
			args = append(args, flag, "127.0.0.1:0")
		}
	}
	if !strings.Contains(given, "--data ") {
		args = append(args, "--data", t.TempDir())
	}
	if !strings.Contains(given, "--config ") {
		args = append(args, "--config", writeFile(t, "milepost.yaml", quickFormats))
	}
	if !strings.Contains(given, "--durability ") {
		args = append(args, "--durability", "process")
	}
	p := &process{t: t, log: new(bytes.Buffer), ended: make(chan error, 1), stdout: make(chan string, 16)}
	p.cmd = exec.Command(commandPath(t), append([]string{"serve"}, args...)...)
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			p.stdout <- lines.Text()
		}
		close(p.stdout)
		p.ended <- p.cmd.Wait()
	}()
	t.Cleanup(p.kill)
	select {
	case line, ok := <-p.stdout:
		if !ok || !strings.HasPrefix(line, "ready ") {
			<-p.ended
			p.cmd.Process = nil
			t.Fatalf("server did not become ready: %q\n%s", line, p.log)
		}
		for _, word := range strings.Fields(line)[1:] {
			name, address, _ := strings.Cut(word, "=")
			switch name {
			case "http":
				p.HTTP = address
			case "clickhouse":
				p.CH = address
			case "nats":
				p.NATS = address
			}
		}
	case <-time.After(startTimeout):
		t.Fatalf("server not ready in %s\n%s", startTimeout, p.log)
	}
	return p
}

// kill ends the process if it still runs.
func (p *process) kill() {
	if p.cmd.Process == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
	p.cmd.Process = nil
}

// terminate sends SIGTERM and gives the exit code.
func (p *process) terminate() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	<-p.ended
	code := p.cmd.ProcessState.ExitCode()
	p.cmd.Process = nil
	return code
}

// result is what a command printed and how it ended.
type result struct {
	out, err string
	code     int
}

// run runs a client command against the server.
func (p *process) run(stdin io.Reader, args ...string) result {
	p.t.Helper()
	return runCommand(p.t, stdin, append(args, "--server", p.HTTP)...)
}

func runCommand(t *testing.T, stdin io.Reader, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, commandPath(t), args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &errs
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatalf("milepost %s: %v", strings.Join(args, " "), err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// mustRun runs a client command that must end with exit code 0.
func (p *process) mustRun(stdin io.Reader, args ...string) string {
	p.t.Helper()
	r := p.run(stdin, args...)
	if r.code != 0 {
		p.t.Fatalf("milepost %s: exit %d\n%s%s\nserver:\n%s", strings.Join(args, " "), r.code, r.out, r.err, p.log)
	}
	return r.out
}

// receipt is a line of publish's output.
type receipt struct {
	Line      int             `json:"line"`
	Source    string          `json:"source"`
	ID        string          `json:"id"`
	Seq       uint64          `json:"seq"`
	Duplicate bool            `json:"duplicate"`
	Error     json.RawMessage `json:"error"`
}

// publish publishes lines, waits for the ledger, and gives the receipts.
func (p *process) publish(lines []byte) []receipt {
	p.t.Helper()
	r := p.run(bytes.NewReader(lines), "publish", "-", "--wait")
	var receipts []receipt
	decoder := json.NewDecoder(strings.NewReader(r.out))
	for {
		var one receipt
		err := decoder.Decode(&one)
		if err == io.EOF {
			break
		}
		if err != nil {
			p.t.Fatalf("receipts: %v\n%s%s", err, r.out, r.err)
		}
		receipts = append(receipts, one)
	}
	if r.err != "" {
		p.t.Fatalf("publish: %s\nserver:\n%s", r.err, p.log)
	}
	return receipts
}

func greatestSeq(receipts []receipt) uint64 {
	var greatest uint64
	for _, r := range receipts {
		greatest = max(greatest, r.Seq)
	}
	return greatest
}

// goldenDir is one of the golden cases.
func goldenDir(name string) string { return filepath.Join("..", "testdata", "golden", name) }

// differences lists where got lacks or contradicts a field of want; members
// that want does not have are not looked at.
func differences(path string, want, got any) []string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: want an object, got %v", path, got)}
		}
		var out []string
		for key, value := range w {
			member, ok := g[key]
			if !ok {
				out = append(out, path+"/"+key+": missing")
				continue
			}
			out = append(out, differences(path+"/"+key, value, member)...)
		}
		return out
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return []string{fmt.Sprintf("%s: want %d items, got %v", path, len(w), got)}
		}
		var out []string
		for i := range w {
			out = append(out, differences(fmt.Sprintf("%s/%d", path, i), w[i], g[i])...)
		}
		return out
	}
	if want != got {
		return []string{fmt.Sprintf("%s: want %v, got %v", path, want, got)}
	}
	return nil
}

// writeSQL runs a statement as the embedded engine's writer.
func (p *process) writeSQL(sql string) {
	p.t.Helper()
	response, err := http.Post(strings.TrimSuffix(p.writerDSN(), "/default")+"/", "text/plain", strings.NewReader(sql))
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %s %v", sql, text, err)
	}
}

// writerDSN is the address of the embedded engine's writer.
func (p *process) writerDSN() string {
	p.t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		p.t.Fatal(err)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(p.CH, "http://"), ":")
	dsn, err := os.ReadFile(filepath.Join(cache, "milepost", "run", "clickhouse-"+port))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(dsn)
}

// get asks a path of the server's HTTP interface and gives status and body.
func (p *process) get(url string) (int, string) {
	p.t.Helper()
	response, err := http.Get(url)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
