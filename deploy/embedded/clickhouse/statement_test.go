package clickhouse

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStatement(t *testing.T) {
	t.Parallel()
	type parts struct {
		kind           statementKind
		before, format string
		changesSession bool
	}
	for sql, want := range map[string]parts{
		"SELECT 1":                                           {kindSelect, "SELECT 1", "", false},
		"SELECT 1 FORMAT JSON":                               {kindSelect, "SELECT 1", "JSON", false},
		"SELECT 1 -- c\n format CSV ; -- d":                  {kindSelect, "SELECT 1", "CSV", false},
		"SELECT 1 FORMAT CSV SETTINGS a = 1;":                {kindSelect, "SELECT 1", "CSV", false},
		"SELECT 1 SETTINGS a = 1 -- c":                       {kindSelect, "SELECT 1 SETTINGS a = 1", "", false},
		"SELECT 'FORMAT JSON'":                               {kindSelect, "SELECT 'FORMAT JSON'", "", false},
		"SELECT format FROM t":                               {kindSelect, "SELECT format FROM t", "", false},
		"((SELECT 1) UNION ALL SELECT 2)":                    {kindSelect, "((SELECT 1) UNION ALL SELECT 2)", "", false},
		"WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a": {kindOther, "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", "", false},
		"SELECT 1 INTO OUTFILE 'x'":                          {kindOther, "SELECT 1 INTO OUTFILE 'x'", "", false},
		"SHOW TABLES":                                        {kindOther, "SHOW TABLES", "", false},
		"SET a = 1":                                          {kindOther, "SET a = 1", "", true},
		"CREATE OR REPLACE TEMPORARY TABLE t AS SELECT 1":    {kindOther, "CREATE OR REPLACE TEMPORARY TABLE t AS SELECT 1", "", true},
		"SELECT 'unclosed":                                   {kindOther, "SELECT 'unclosed", "", false},
		"":                                                   {kindOther, "", "", false},
	} {
		got := parseStatement(sql)
		if diff := cmp.Diff(want, parts{got.kind, sql[:got.end], got.format, got.changesSession}, cmp.AllowUnexported(parts{})); diff != "" {
			t.Errorf("%s: %s", sql, diff)
		}
	}
}

func TestParseInsert(t *testing.T) {
	t.Parallel()
	type parts struct{ head, format, data string }
	for sql, want := range map[string]parts{
		"INSERT INTO t FORMAT Native\n\x01\x02\n":                   {"INSERT INTO t ", "Native", "\x01\x02\n"},
		"insert into t (a, b) values (1, 'x'), (2, 'y')":            {"insert into t (a, b) ", "Values", " (1, 'x'), (2, 'y')"},
		"INSERT INTO t SETTINGS a = 1 FORMAT CSV\r\n1,2":            {"INSERT INTO t SETTINGS a = 1 ", "CSV", "1,2"},
		"/* c */ INSERT INTO d.values FORMAT JSONEachRow {\"a\":1}": {"/* c */ INSERT INTO d.values ", "JSONEachRow", "{\"a\":1}"},
		"INSERT INTO values VALUES (1)":                             {"INSERT INTO values ", "Values", " (1)"},
		"INSERT INTO `format` FORMAT TSV\n\n1":                      {"INSERT INTO `format` ", "TSV", "\n1"},
		"INSERT INTO FUNCTION null('a Int8') VALUES (1)":            {"INSERT INTO FUNCTION null('a Int8') ", "Values", " (1)"},
		"INSERT INTO t FORMAT CSV 'not closed \" `":                 {"INSERT INTO t ", "CSV", "'not closed \" `"},
	} {
		head, ok := parseInsert(sql)
		if !ok {
			t.Errorf("%q is not taken for an INSERT with data", sql)
			continue
		}
		if diff := cmp.Diff(want, parts{head.text, head.format, sql[head.data:]}, cmp.AllowUnexported(parts{})); diff != "" {
			t.Errorf("%q: %s", sql, diff)
		}
	}
	for _, sql := range []string{"", "SELECT 1", "INSERT INTO t SELECT 1 FORMAT CSV", "INSERT INTO t (a) WITH 1 AS x SELECT x", "INSERT INTO t", "INSERT", "INSERT INTO t; DROP TABLE t"} {
		if _, ok := parseInsert(sql); ok {
			t.Errorf("%q is taken for an INSERT with data", sql)
		}
	}
}

func TestParseException(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Exception{
		"Code: 60. DB::Exception: Table x. Maybe y?. (UNKNOWN_TABLE)":                                       {Code: 60, Name: "UNKNOWN_TABLE", Message: "Table x. Maybe y?"},
		"Code: 164. DB::Exception: Code: 164. DB::Exception: No. (READONLY) (version 26.7.2.1). (READONLY)": {Code: 164, Name: "READONLY", Message: "No"},
		"Error: Code: 27. DB::ParsingException: Cannot parse: a\nb. (CANNOT_PARSE_INPUT_ASSERTION_FAILED)":  {Code: 27, Name: "CANNOT_PARSE_INPUT_ASSERTION_FAILED", Message: "Cannot parse: a\nb"},
		"Another streaming query or insert is already active on this connection":                            {Code: codeUnknown, Message: "Another streaming query or insert is already active on this connection"},
	} {
		got := parseException(text)
		if got.Code != want.Code || got.Name != want.Name || got.Message != want.Message {
			t.Errorf("%s:\n got %+v\nwant %+v", text, *got, want)
		}
	}
}
