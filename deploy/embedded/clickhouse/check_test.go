package clickhouse

import (
	"errors"
	"strings"
	"testing"
)

// allowed statements are ordinary questions; among them words that would be refused in another role.
var allowedStatements = []string{
	"SELECT 1",
	"  select 1 ;; ",
	"(SELECT 1) UNION ALL (SELECT 2)",
	"FROM numbers(3) SELECT *",
	"WITH x AS (SELECT 1 AS a) SELECT a FROM x FORMAT JSON",
	"WITH 'INTO OUTFILE' AS settings SELECT settings",
	"SELECT 'INTO OUTFILE', 'file(''x'')', 'a\\' INTO OUTFILE', \"INTO\" FROM (SELECT 1 AS INTO)",
	"SELECT $$ INTO OUTFILE 'x'; DROP TABLE t $$, $tag$ file('x') $$ $tag$",
	"SELECT x'41', b'01' /* INTO OUTFILE file('x') ; */ -- ; DROP\n, 2 # url('x')\n, 3 // s3()\n",
	"SELECT ‘INTO OUTFILE’",
	"SELECT file, url, s3 FROM (SELECT 1 AS file, 2 AS url, 3 AS s3)",
	"SELECT t.file FROM t WHERE t.url IN ('a', 'b')",
	"SELECT count() FROM t WHERE (a, b) IN (SELECT 1, 2) AND c NOT IN tuple(1, 2)",
	"SELECT * FROM a, b LEFT JOIN (SELECT 1 AS k) AS c ON a.k = c.k, numbers(3) AS n",
	"SELECT extract(YEAR FROM toDate('2025-01-01')), trim(BOTH ' ' FROM concat(' ', 'x')), a IS DISTINCT FROM toString(b) FROM t",
	"SELECT substring('abc' FROM length('a')) FROM numbers(1)",
	"SELECT * FROM generateRandom('a Int8') LIMIT 1",
	"SELECT * FROM values('a Int8, b String', (1, 'x')), null('a Int8'), view(SELECT 1)",
	"SELECT * FROM system.tables, system.columns, `system`.`functions`",
	"SELECT system FROM (SELECT 1 AS system)",
	"SELECT format('{} {}', 'a', 'b')",
	"SELECT name FROM settings WHERE settings.name = 'x'",
	"SELECT {a:UInt8}, {b:Array(String)}, {a : String}, {'a': 1}",
	"SELECT a AS into, b AS outfile, c AS format FROM t",
	"SELECT arrayMap(x -> x + 1, [1, 2]), map('a', 1)['a'], t.1",
	"EXPLAIN SELECT 1",
	"EXPLAIN PIPELINE graph = 1, compact = 0 SELECT 1",
	"EXPLAIN QUERY TREE run_passes = 1 SELECT 1",
	"EXPLAIN AST EXPLAIN SYNTAX SELECT 1",
	"EXPLAIN (SELECT 1)",
	"SHOW TABLES", "SHOW TABLES FROM system LIKE 'x%'", "SHOW DATABASES", "SHOW FULL COLUMNS FROM t", "SHOW CREATE TABLE t", "SHOW CREATE t", "SHOW INDEXES FROM t",
	"DESCRIBE t", "DESC TABLE numbers(1)", "DESCRIBE (SELECT 1)", "EXISTS TABLE t", "EXISTS DATABASE d",
	"SELECT * APPLY(toString), COLUMNS('a') APPLY quantile(0.5) FROM t",
	"SELECT cluster, remote, input, merge FROM t GROUP BY cluster, remote, input, merge",
	"SELECT 1 −1",
}

// refused statements, each with what the refusal must name.
var refusedStatements = map[string]string{
	"":                               "empty",
	" -- nothing":                    "empty",
	"SELECT 1; SELECT 2":             "more than one statement",
	"SELECT 1;;DROP TABLE t":         "more than one statement",
	"SELECT 1 INTO OUTFILE '/tmp/x'": "OUTFILE",
	"SELECT 1 iNtO/* x */\n--y\n outFILE $$/tmp/x$$":             "OUTFILE",
	"SELECT 'a' 'b' INTO\u00a0OUTFILE '/tmp/x'":                  "OUTFILE",
	"(SELECT 1) INTO OUTFILE '/tmp/x' APPEND":                    "OUTFILE",
	"EXPLAIN SELECT 1 INTO OUTFILE '/tmp/x'":                     "OUTFILE",
	"SHOW TABLES INTO OUTFILE '/tmp/x'":                          "OUTFILE",
	"SELECT 'it''s' INTO OUTFILE 'x'":                            "OUTFILE",
	"SELECT 'a\\'' INTO OUTFILE 'x'":                             "OUTFILE",
	"SELECT x'41' INTO OUTFILE 'x'":                              "OUTFILE",
	"SELECT $$a$$ INTO OUTFILE 'x'":                              "OUTFILE",
	"SELECT `a``b` INTO OUTFILE 'x'":                             "OUTFILE",
	"SELECT /* /* */ 1 INTO OUTFILE 'x' /* */ */":                "comment",
	"SELECT * FROM file('/etc/passwd')":                          "function file",
	"SELECT * FROM `file`('/etc/passwd')":                        "function file",
	"SELECT * FROM \"file\" /**/ ('/etc/passwd')":                "function file",
	"SELECT * FROM \"fil\\e\"('/etc/passwd')":                    "function file",
	"SELECT file('/etc/passwd')":                                 "function file",
	"SELECT arrayMap(x -> file(x), ['/etc/passwd'])":             "function file",
	"SELECT y APPLY file FROM t":                                 "function file",
	"SELECT * APPLY(file) FROM t":                                "function file",
	"SELECT * APPLY `file` FROM t":                               "function file",
	"SELECT 1 WHERE 1 IN (SELECT * FROM url('x'))":               "function url",
	"SELECT 1 IN url('http://x', 'CSV', 'a Int8')":               "function url",
	"WITH a AS (SELECT * FROM s3('x')) SELECT * FROM a":          "function s3",
	"SELECT 1 UNION ALL SELECT * FROM remote('h', system.one)":   "function remote",
	"SELECT * FROM numbers(1), remoteSecure('h', 'd', 't')":      "function remoteSecure",
	"SELECT * FROM view(SELECT * FROM executable('x', 'TSV'))":   "function executable",
	"SELECT * FROM a JOIN mysql('h', 'd', 't', 'u', 'p') ON 1":   "function mysql",
	"SELECT * FROM postgresql('h')":                              "function postgresql",
	"SELECT * FROM odbc('x')":                                    "function odbc",
	"SELECT * FROM jdbc('x')":                                    "function jdbc",
	"SELECT * FROM hdfs('x')":                                    "function hdfs",
	"SELECT * FROM input('a Int8')":                              "function input",
	"SELECT * FROM python('x')":                                  "function python",
	"SELECT * FROM cluster('c', system.one)":                     "function cluster",
	"SELECT * FROM loop(system.one)":                             "function loop",
	"SELECT * FROM dictionary('d')":                              "function dictionary",
	"SELECT * FROM merge('system', '.*')":                        "function merge",
	"SELECT * FROM format(CSV, 'x')":                             "function format",
	"SELECT * FROM numbers(1), format(CSV, 'x')":                 "function format",
	"SELECT * FROM eval('SELECT 1')":                             "function eval",
	"SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))":       "function viewExplain",
	"SELECT * FROM sqlite('x', 't')":                             "function sqlite",
	"DESCRIBE TABLE file('/etc/passwd')":                         "function file",
	"DESC url('x')":                                              "function url",
	"SELECT catboostEvaluate('m', 1)":                            "function catboostEvaluate",
	"SELECT aiGenerate('x')":                                     "function aiGenerate",
	"SELECT getMacro('x')":                                       "function getMacro",
	"SELECT unknownView(1) FROM unknownView(1)":                  "table function unknownView",
	"SELECT * FROM d.unknownView(a = 1)":                         "table function unknownView",
	"SELECT 1 SETTINGS readonly = 0":                             "SETTINGS readonly",
	"SELECT 1 FORMAT CSV SETTINGS max_threads = 1":               "SETTINGS max_threads",
	"SELECT * FROM (SELECT 1 SETTINGS `max_memory_usage`/**/=0)": "SETTINGS max_memory_usage",
	"WITH x AS (SELECT 1) INSERT INTO t SELECT 1":                "INSERT",
	"INSERT INTO t VALUES (1)":                                   "INSERT",
	"INSERT INTO FUNCTION file('x') SELECT 1":                    "INSERT",
	"SELECT 1 PARALLEL WITH SELECT 2":                            "PARALLEL WITH",
	"CREATE TABLE t (a Int8) ENGINE = Memory":                    "CREATE",
	"CREATE TEMPORARY TABLE t (a Int8)":                          "CREATE",
	"ATTACH TABLE t":                                             "ATTACH",
	"SYSTEM FLUSH LOGS":                                          "SYSTEM",
	"SET readonly = 0":                                           "SET",
	"USE system":                                                 "USE",
	"KILL QUERY WHERE 1":                                         "KILL",
	"EXECUTE AS writer SELECT 1":                                 "EXECUTE",
	"BACKUP TABLE t TO File('x')":                                "BACKUP",
	"EXPLAIN AST INSERT INTO t VALUES (1)":                       "EXPLAIN INSERT",
	"EXPLAIN EXPLAIN CREATE TABLE t (a Int8)":                    "EXPLAIN CREATE",
	"EXPLAIN TABLE OVERRIDE mysql('x') PARTITION BY a":           "EXPLAIN TABLE",
	"EXPLAIN CURRENT TRANSACTION":                                "EXPLAIN CURRENT",
	"SHOW PROCESSLIST":                                           "SHOW PROCESSLIST",
	"SHOW GRANTS":                                                "SHOW GRANTS",
	"SHOW CREATE USER default":                                   "SHOW CREATE USER",
	"SELECT query FROM system.processes":                         "system.processes",
	"SELECT query FROM `system` . \"query_log\"":                 "system.query_log",
	"SELECT 1 WHERE 1 IN system.processes":                       "system.processes",
	"SELECT * FROM {t:Identifier}":                               "Identifier",
	"SELECT 'unclosed":                                           "quote is not closed",
	"SELECT /* unclosed":                                         "comment is not closed",
	"SELECT $a$ unclosed":                                        "heredoc",
	"SELECT x'4z\\' , ' INTO OUTFILE '":                          "hexadecimal",
	"SELECT 1 \\G":                                               "not part of SQL",
	"SELECT \x00 1":                                              "not part of SQL",
	"'SELECT 1'":                                                 "keyword",
}

func TestReaderCheckAllows(t *testing.T) {
	t.Parallel()
	for _, sql := range allowedStatements {
		if err := (ReaderCheck{}).Check(sql); err != nil {
			t.Errorf("%s\n\trefused: %v", sql, err)
		}
	}
}

func TestReaderCheckRefuses(t *testing.T) {
	t.Parallel()
	for sql, why := range refusedStatements {
		err := ReaderCheck{}.Check(sql)
		var exception *Exception
		switch {
		case !errors.As(err, &exception):
			t.Errorf("%s\n\tallowed", sql)
		case !strings.Contains(err.Error(), why):
			t.Errorf("%s\n\trefused by %q, expected %q in it", sql, err, why)
		case exception.Code != codeReadonly && exception.Code != codeSyntaxError:
			t.Errorf("%s\n\trefused with code %d", sql, exception.Code)
		}
	}
}

func TestReaderCheckKnowsViewsAndParameters(t *testing.T) {
	t.Parallel()
	check := ReaderCheck{
		Params: map[string]string{"t": "events", "s": "system.processes", "e": `\x73ystem.processes`, "q": "`system`.processes"},
		IsView: func(database, name string) bool { return name == "ledger" && (database == "" || database == "city") },
	}
	for sql, allowed := range map[string]bool{
		"SELECT * FROM ledger(as_of = '2025-10-31', known = 5)": true,
		"SELECT * FROM city.ledger(as_of = '2025-10-31')":       true,
		"SELECT * FROM city.`ledger`(as_of = '2025-10-31')":     true,
		"SELECT * FROM other.ledger(as_of = '2025-10-31')":      false,
		"SELECT * FROM bulletin(as_of = '2025-10-31')":          false,
		"SELECT * FROM {t:Identifier}":                          true,
		"SELECT * FROM {s:Identifier}":                          false,
		"SELECT * FROM {s : `identifier`}":                      false,
		"SELECT * FROM {e:Identifier}":                          false,
		"SELECT * FROM {q:Identifier}":                          false,
		"SELECT * FROM {u:Identifier}":                          false,
	} {
		if err := check.Check(sql); (err == nil) != allowed {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if err := CheckReader("SELECT * FROM ledger(as_of = '2025-10-31')"); err != nil {
		t.Errorf("CheckReader: %v", err)
	}
	if err := CheckReader("SELECT * FROM s3('x')"); err == nil {
		t.Error("CheckReader allows s3()")
	}
}

func TestReaderCheckIsFastOnLongStatements(t *testing.T) {
	t.Parallel()
	long := "SELECT * FROM a" + strings.Repeat(",f(", maxReaderStatement/6)
	if err := CheckReader(long); err != nil {
		t.Errorf("a long list: %v", err)
	}
	if err := CheckReader("SELECT '" + strings.Repeat("x", maxReaderStatement) + "'"); err == nil {
		t.Error("a statement above the limit is allowed")
	}
}

// FuzzReaderCheck holds that no text makes the check panic, and that no text inside a literal is refused.
func FuzzReaderCheck(f *testing.F) {
	for _, sql := range allowedStatements {
		f.Add(sql)
	}
	for sql := range refusedStatements {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10_000 {
			return
		}
		_ = ReaderCheck{}.Check(text)
		_ = parseStatement(text)
		_, _ = parseInsert(text)
		for _, literal := range []string{quoteText(text), "'" + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), "'", "''") + "'", "'' AS " + quoteName(text)} {
			if err := (ReaderCheck{}).Check("SELECT " + literal + " FROM numbers(1)"); err != nil {
				t.Errorf("SELECT %s is refused: %v", literal, err)
			}
		}
		if heredoc := "$q$" + text + "$q$"; !strings.Contains(text, "$") {
			if err := (ReaderCheck{}).Check("SELECT " + heredoc); err != nil {
				t.Errorf("SELECT %s is refused: %v", heredoc, err)
			}
		}
	})
}
