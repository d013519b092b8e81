package deliver

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWhoWasGivenAnEditionIsToldOfItsWithdrawal withdraws an edition that one
// target has, one failed to get, and one gets no editions.
func TestWhoWasGivenAnEditionIsToldOfItsWithdrawal(t *testing.T) {
	t.Parallel()
	c, p, js, dir := newClock(), &press{}, stream(t), t.TempDir()
	has, failing, letters := &sink{}, &sink{fails: func(*Message) error { return errDown }}, &sink{}
	courier := replica(t, js, c, p, nil, Target{Name: "has", Sender: has}, Target{Name: "failing", Sender: failing},
		Target{Name: "letters", LettersOnly: true, Sender: letters}, Target{Name: "folder", Formats: []string{"md"}, Sender: NewFolder(dir)})
	pass(t, courier)
	e := p.publish(c, "month", "2026-10", 10)
	pass(t, courier)
	if len(has.got) != 1 || len(failing.got) != 0 {
		t.Fatalf("delivered %d and %d", len(has.got), len(failing.got))
	}
	// A file of an office's own stands beside.
	place := filepath.Join(dir, "month", "2026-10", "10")
	for _, name := range []string{"批注.txt", e.ID + ".md", e.ID + "-media.md"} {
		if err := os.WriteFile(filepath.Join(place, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.withdraw(e.ID)
	failing.fails = nil
	for range 3 {
		c.advance(200 * 24 * time.Hour) // also when letters are cleared away
		pass(t, courier)
	}
	if len(has.got) != 2 || len(failing.got) != 0 || len(letters.got) != 0 {
		t.Fatalf("after the withdrawal %d, %d and %d", len(has.got), len(failing.got), len(letters.got))
	}
	told := has.got[1]
	if told.Class != WithdrawalClass || told.ID != "withdrawn."+e.ID || told.Number != 10 || told.Kind != "month" || !strings.HasPrefix(told.Title, "已撤回：") ||
		!slices.Contains(told.Lines, "原因：数据有误") || !slices.Contains(told.Lines, "替代："+e.ID+"-c1") {
		t.Errorf("told %+v", told)
	}
	entries, err := os.ReadDir(place)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	want := []string{e.ID + "-media.md.withdrawn", e.ID + ".md.withdrawn", e.ID + ".withdrawn.txt", "批注.txt", "通报-2026-10-.md"}
	if !slices.Equal(names, want) {
		t.Errorf("in the folder %v, want %v", names, want)
	}
}
