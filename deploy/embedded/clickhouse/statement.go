package clickhouse

import "strings"

// statementKind is how a statement is run.
type statementKind uint8

const (
	kindOther  statementKind = iota // its whole (small) result is taken at once
	kindSelect                      // its result is streamed
	kindInsert                      // its data is streamed
)

// statement is a statement's text with the places that the HTTP interface must know.
type statement struct {
	text   string
	kind   statementKind
	format string // the FORMAT clause's, or empty
	// end is where INTO OUTFILE can be put in: before FORMAT, or behind the last token.
	end int
	// changesSession says that the connection is another one afterwards: SET, USE, a temporary table, a transaction.
	changesSession bool
	tokens         []token
}

// parseStatement looks at a statement that is no INSERT with data. What it cannot read is left to the engine.
func parseStatement(sql string) statement {
	s := statement{text: sql, end: len(sql)}
	tokens, _, err := tokenize(sql)
	if err != nil {
		return s
	}
	for len(tokens) > 0 && tokens[len(tokens)-1].punctuation(";") {
		tokens = tokens[:len(tokens)-1]
	}
	if len(tokens) == 0 {
		return s
	}
	s.tokens = tokens
	s.end = tokens[len(tokens)-1].end
	if at, name := formatClause(tokens); at > 0 {
		s.format, s.end = name, tokens[at-1].end
	}
	first := 0
	for first < len(tokens)-1 && tokens[first].punctuation("(") {
		first++
	}
	switch strings.ToUpper(tokens[first].text) {
	case "SELECT", "WITH", "FROM":
		if !writesElsewhere(tokens) {
			s.kind = kindSelect
		}
	case "SET", "USE", "BEGIN", "COMMIT", "ROLLBACK", "START", "EXECUTE":
		s.changesSession = true
	default:
		for _, t := range tokens[:min(len(tokens), 4)] {
			s.changesSession = s.changesSession || t.word("TEMPORARY")
		}
	}
	return s
}

// formatClause finds the last FORMAT clause: FORMAT name, at the end or before SETTINGS.
func formatClause(tokens []token) (at int, name string) {
	for i := len(tokens) - 2; i > 0; i-- {
		if tokens[i].word("FORMAT") && tokens[i+1].kind == tokenWord && (i+2 == len(tokens) || tokens[i+2].word("SETTINGS")) {
			return i, tokens[i+1].text
		}
	}
	return 0, ""
}

// writesElsewhere reports what only looks like a SELECT: WITH … INSERT, and a writer's own INTO OUTFILE.
func writesElsewhere(tokens []token) bool {
	for i, t := range tokens[:len(tokens)-1] {
		if t.word("INTO") && tokens[i+1].word("OUTFILE") || t.word("INSERT") && tokens[i+1].word("INTO") || t.word("PARALLEL") && tokens[i+1].word("WITH") {
			return true
		}
	}
	return false
}

// insertHead is what stands before an INSERT's data.
type insertHead struct {
	text   string // up to FORMAT or VALUES
	format string
	data   int // where in the text the data begins
}

// parseInsert reads the head of an INSERT that carries data, looking at no byte of the data; ok is false for every other
// statement.
func parseInsert(sql string) (head insertHead, ok bool) {
	l := lexer{sql: sql}
	ended := false
	next := func() token {
		t, found, err := l.next()
		ended = ended || err != nil || !found
		return t
	}
	if !next().word("INSERT") {
		return head, false
	}
	t := next()
	if t.word("INTO") {
		t = next()
	}
	if t.word("TABLE") || t.word("FUNCTION") {
		t = next()
	}
	depth, previous := 0, t
	for t = next(); !ended; previous, t = t, next() {
		switch {
		case t.punctuation("("):
			depth++
		case t.punctuation(")"):
			depth--
		case t.punctuation(";"):
			return head, false
		case depth > 0 || previous.punctuation("."):
		case t.word("SELECT"), t.word("WITH"), t.word("FROM"), t.word("EXPLAIN"):
			return head, false
		case t.word("VALUES"):
			return insertHead{sql[:t.start], "Values", t.end}, true
		case t.word("FORMAT"):
			name := next()
			return insertHead{sql[:t.start], name.text, afterFormat(sql, name.end)}, !ended && name.kind == tokenWord
		}
	}
	return head, false
}

// afterFormat passes the blanks and the one line break that part FORMAT's name from the data.
func afterFormat(sql string, at int) int {
	for at < len(sql) && (sql[at] == ' ' || sql[at] == '\t' || sql[at] == '\f') {
		at++
	}
	if at < len(sql) && sql[at] == '\r' {
		at++
	}
	if at < len(sql) && sql[at] == '\n' {
		at++
	}
	return at
}
