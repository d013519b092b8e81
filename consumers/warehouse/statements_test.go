package warehouse

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitStatements(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"several, the last without its end", "SELECT 1;\nSELECT 2", []string{"SELECT 1", "SELECT 2"}},
		{"empty ones", ";; ;\n", nil},
		{"comment before", "-- first; comment\n/* second; */ SELECT 1; -- last", []string{"SELECT 1"}},
		{"comment inside", "SELECT 1 -- one; two\n, 2;", []string{"SELECT 1 -- one; two\n, 2"}},
		{"semicolons in quotes", "SELECT 'a;b', \"c;d\", `e;f`; SELECT 2", []string{"SELECT 'a;b', \"c;d\", `e;f`", "SELECT 2"}},
		{"doubled quote", "SELECT 'sender''s; text'; SELECT 2", []string{"SELECT 'sender''s; text'", "SELECT 2"}},
		{"escaped quote", `SELECT 'sender\'s; text'; SELECT 2`, []string{`SELECT 'sender\'s; text'`, "SELECT 2"}},
		{"comment marks in quotes", "SELECT '-- a', '/* b'; SELECT 2", []string{"SELECT '-- a', '/* b'", "SELECT 2"}},
		{"quote in a comment", "SELECT 1; -- it's\nSELECT 2;", []string{"SELECT 1", "SELECT 2"}},
		{"minus is no comment", "SELECT 1 - 1; SELECT 2 / 2", []string{"SELECT 1 - 1", "SELECT 2 / 2"}},
		{"unclosed", "SELECT 1; SELECT 'a;", []string{"SELECT 1", "SELECT 'a;"}},
		{"unclosed comment", "SELECT 1; /* a;", []string{"SELECT 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, splitStatements(c.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
