package clickhouse_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"milepost/deploy/embedded/enginetest"
)

// TestReadersCannotLeaveTheEngine tries what would write, read files or loosen limits, and looks for traces.
func TestReadersCannotLeaveTheEngine(t *testing.T) {
	t.Parallel()
	db := enginetest.ClickHouse(t)
	w, c := writer(t, db), reader(t, db)
	w.must("CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a")
	w.must("INSERT INTO t VALUES (1)")
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("top secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	for _, sql := range []string{
		"SELECT 1 INTO OUTFILE '" + out + "'",
		"SELECT 1 /* */ INTO -- x\n OUTFILE $$" + out + "$$",
		"EXPLAIN SELECT 1 INTO OUTFILE '" + out + "'",
		"SHOW TABLES INTO OUTFILE '" + out + "'",
		"DESCRIBE t INTO OUTFILE '" + out + "'",
		"SELECT * FROM file('" + secret + "', 'LineAsString')",
		"SELECT file('" + secret + "')",
		"SELECT `file`('" + secret + "')",
		"SELECT y APPLY file FROM (SELECT '" + secret + "' AS y)",
		"SELECT * FROM default.`" + secret + "`",
		"SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a Int8')",
		"SELECT * FROM remote('127.0.0.1:1', system.one)",
		"SELECT * FROM executable('id', 'TSV', 'a String')",
		"SELECT * FROM sqlite('" + secret + "', 't')",
		"SELECT 1 SETTINGS readonly = 0",
		"SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 0)",
		"SET readonly = 0", "SET max_threads = 1", "USE system",
		"INSERT INTO t VALUES (2)", "INSERT INTO FUNCTION file('" + out + "', 'CSV', 'a Int8') SELECT 1",
		"WITH x AS (SELECT 2) INSERT INTO t SELECT 2",
		"CREATE TABLE u (a Int8) ENGINE = Memory", "CREATE TEMPORARY TABLE u (a Int8)", "DROP TABLE t", "ALTER TABLE t DELETE WHERE 1", "TRUNCATE TABLE t",
		"ATTACH TABLE u UUID '00000000-0000-0000-0000-000000000000' (a Int8) ENGINE = File(CSV)",
		"SYSTEM FLUSH LOGS", "KILL QUERY WHERE 1", "OPTIMIZE TABLE t", "SHOW PROCESSLIST", "SELECT * FROM system.processes", "SELECT * FROM merge('system', 'proc')",
		"SELECT 1; DROP TABLE t", "SELECT 1 PARALLEL WITH SELECT 2", "EXPLAIN AST INSERT INTO t VALUES (1)",
	} {
		if a := c.refuses("164", sql); strings.Contains(a.body, "top secret") {
			t.Errorf("%s tells the secret", sql)
		}
	}
	c.refuses("164", "SELECT * FROM {t:Identifier}.{u:Identifier}", "param_t", "system", "param_u", "processes")
	c.refuses("164", "SELECT * FROM processes", "database", "system")
	// A format is a part of the statement that nobody checks.
	for _, format := range []string{"TSV; KILL QUERY WHERE 1", "TSV SETTINGS readonly = 0", "TSV\n--", "TSV INTO OUTFILE '" + out + "'"} {
		c.refuses("73", "SELECT 1", "default_format", format)
		c.refuses("73", "SHOW TABLES", "default_format", format)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("files were written: %v %v", entries, err)
	}
	equal(t, "the table", w.must("SELECT * FROM t"), "1\n")
	equal(t, "a parameter that is a table", c.must("SELECT * FROM {t:Identifier}", "param_t", "t"), "1\n")
	equal(t, "the words in literals", c.must("SELECT 'INTO OUTFILE', $$file('x');$$ -- SETTINGS readonly = 0"), "INTO OUTFILE\tfile(\\'x\\');\n")
}

func TestReadersSettings(t *testing.T) {
	t.Parallel()
	c := reader(t, enginetest.ClickHouse(t))
	for _, name := range []string{"allow_ddl", "max_execution_time_leaf", "format_schema", "output_format_schema", "format_template_row", "result_overflow_mode",
		"max_bytes_before_external_sort", "allow_introspection_functions", "max_query_size", "timeout_overflow_mode", "no_such_setting"} {
		c.refuses("164", "SELECT 1", name, "1")
	}
	c.refuses("164", "SELECT 1", "readonly", "0")
	get := func(name string, parameters ...string) string {
		return strings.TrimSpace(c.must("SELECT getSetting('"+name+"')", parameters...))
	}
	for _, tc := range []struct{ name, given, want string }{
		{"readonly", "2", "1"}, {"max_threads", "1", "1"}, {"max_threads", "100", "2"}, {"max_threads", "0", "2"},
		{"max_execution_time", "1", "1"}, {"max_execution_time", "0", "30"}, {"max_execution_time", "65", "30"},
		{"max_result_rows", "10", "10"}, {"max_result_rows", "99999999999", "1000000"}, {"max_memory_usage", "0", "1073741824"},
		{"output_format_json_quote_64bit_integers", "1", "true"}, {"max_block_size", "77", "77"},
	} {
		equal(t, tc.name+"="+tc.given, get(tc.name, tc.name, tc.given), tc.want)
	}
	for sql, code := range map[string]string{
		"SELECT number FROM numbers(2000000)":                                                                   "396", // result rows
		"SELECT count() FROM numbers(400000000) WHERE NOT ignore(number)":                                       "158", // rows to read
		"SELECT groupArray(repeat('x', 1000)) FROM numbers(100000000)":                                          "241", // memory
		"SELECT sum(sipHash64(a.number, b.number)) FROM numbers(1000000) AS a CROSS JOIN numbers(1000000) AS b": "159", // time
	} {
		c.refuses(code, sql, "max_execution_time", "2", "wait_end_of_query", "1", "max_memory_usage", "100000000")
	}
}

func TestReadersUseParametrisedViews(t *testing.T) {
	t.Parallel()
	db := enginetest.ClickHouse(t)
	w, c := writer(t, db), reader(t, db)
	w.must("CREATE VIEW odd AS SELECT number FROM numbers(10) WHERE number % 2 = {rest:UInt8} SETTINGS max_threads = 1")
	equal(t, "view", c.must("SELECT count() FROM odd(rest = 1)"), "5\n")
	equal(t, "qualified", c.must("SELECT count() FROM "+db.Database+".odd(rest = 0)", "database", "default"), "5\n")
	c.refuses("164", "SELECT count() FROM even(rest = 1)")
	// Views that themselves leave the engine are the writer's business, but a reader's limits hold in them.
	w.must("CREATE VIEW outside AS SELECT * FROM file('/etc/hostname', 'LineAsString', 'a String')")
	c.refuses("164", "SELECT * FROM outside")
}

// TestEngineNamesAreJudged fails when another version of the engine brings a table function that nobody judged.
func TestEngineNamesAreJudged(t *testing.T) {
	t.Parallel()
	w := writer(t, enginetest.ClickHouse(t))
	c := reader(t, enginetest.ClickHouse(t))
	harmless := " SQLStandardValues generateRandom generateSeries generate_series null numbers numbers_mt primes values view zeros zeros_mt "
	for name := range strings.FieldsSeq(w.must("SELECT name FROM system.table_functions")) {
		refused := strings.Contains(c.send("SELECT * FROM "+name+"(1) LIMIT 1").body, "Refused for readers")
		if refused == strings.Contains(harmless, " "+name+" ") {
			t.Errorf("table function %s: refused %v", name, refused)
		}
	}
	for table := range strings.FieldsSeq("processes query_log text_log users grants named_collections server_settings errors parts disks macros user_directories dictionaries") {
		c.refuses("164", "SELECT * FROM system."+table)
	}
	for table := range strings.FieldsSeq("tables columns functions formats settings databases one") {
		c.must(fmt.Sprintf("SELECT * FROM system.%s LIMIT 1 FORMAT Null", table))
	}
}
