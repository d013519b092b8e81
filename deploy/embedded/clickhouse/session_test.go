package clickhouse_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"milepost/deploy/embedded/enginetest"
)

func TestSessionKeepsItsState(t *testing.T) {
	t.Parallel()
	db := enginetest.ClickHouse(t)
	c := writer(t, db)
	session := []string{"session_id", db.Database + "-s"}
	with := func(more ...string) []string { return append(more, session...) }
	c.refuses("372", "SELECT 1", with("session_check", "1")...)
	c.must("CREATE TEMPORARY TABLE mine (a Int8)", session...)
	c.must("INSERT INTO mine VALUES (1), (2)", session...)
	equal(t, "temporary table", c.must("SELECT count() FROM mine", session...), "2\n")
	c.refuses("60", "SELECT count() FROM mine")
	c.must("SET max_block_size = 777", session...)
	equal(t, "SET", c.must("SELECT getSetting('max_block_size')", session...), "777\n")
	equal(t, "URL", c.must("SELECT getSetting('max_block_size')", with("max_block_size", "888")...), "888\n")
	equal(t, "after URL", c.must("SELECT getSetting('max_block_size')", session...), "777\n")
	c.refuses("395", "SELECT throwIf(number = 100000) FROM numbers(200000)", with("wait_end_of_query", "1")...)
	c.refuses("47", "SELECT nosuch", session...)
	equal(t, "after a failure", c.must("SHOW CREATE TEMPORARY TABLE mine FORMAT TSVRaw", session...), "CREATE TEMPORARY TABLE mine\n(\n    `a` Int8\n)\nENGINE = Memory\n")
	c.must("SELECT 1", with("close_session", "1")...)
	c.refuses("372", "SELECT 1", with("session_check", "1")...)
	c.refuses("374", "SELECT 1", with("session_timeout", "99999")...)
	// A session belongs to its user.
	c.must("SELECT 1", session...)
	reader(t, db).refuses("372", "SELECT 1", with("session_check", "1")...)
}

func TestSessionIsLockedWhileItRuns(t *testing.T) {
	t.Parallel()
	db := enginetest.ClickHouse(t)
	for name, c := range map[string]client{"writer": writer(t, db), "reader": reader(t, db)} {
		id := db.Database + name
		var first sync.WaitGroup
		first.Go(func() {
			long := "SELECT sleepEachRow(0.1) FROM numbers(15)"
			for c.send(long, "session_id", id, "max_block_size", "1").header.Get("X-ClickHouse-Exception-Code") == "373" {
			}
		})
		await(t, func() bool {
			return c.send("SELECT 1", "session_id", id).header.Get("X-ClickHouse-Exception-Code") == "373"
		})
		first.Wait()
		equal(t, name, c.must("SELECT 1", "session_id", id), "1\n")
	}
}

func TestMethodsAndSizes(t *testing.T) {
	t.Parallel()
	c := reader(t, enginetest.ClickHouse(t))
	if a := c.do(http.MethodDelete, nil, nil, "query", "SELECT 1"); a.status != http.StatusNotImplemented {
		t.Errorf("DELETE: %d", a.status)
	}
	if a := c.do(http.MethodPost, strings.NewReader("x"), http.Header{"Content-Encoding": {"xz"}}); a.header.Get("X-ClickHouse-Exception-Code") != "89" {
		t.Errorf("xz: %d %s", a.status, a.body)
	}
	if a := c.refuses("229", "SELECT '"+strings.Repeat("x", 300_000)+"'"); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a long statement: %d", a.status)
	}
	c.refuses("36", "SELECT 1", "query_id", strings.Repeat("x", 1000))
	equal(t, "after all", c.must("SELECT 1"), "1\n")
}
