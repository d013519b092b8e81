package clickhouse

import (
	"fmt"
	"slices"
	"strings"
)

// maxReaderStatement bounds the text of a reader's statement, in bytes; the engine's own max_query_size is the same.
const maxReaderStatement = 256 << 10

func refuse(hint, format string, v ...any) error {
	message := "Refused for readers: " + fmt.Sprintf(format, v...)
	if hint != "" {
		message += "; hint: " + hint
	}
	return &Exception{Code: codeReadonly, Message: message}
}

// ReaderCheck decides whether a reader may run a statement. It reads tokens, never raw text, so what stands inside a
// literal or a comment is of no concern to it.
type ReaderCheck struct {
	// Params are the values of the statement's {name:Type} parameters; an Identifier parameter without a value is refused.
	Params map[string]string
	// IsView reports whether a parametrised view of that name exists; nil means that none does. database is empty for
	// an unqualified name.
	IsView func(database, name string) bool
}

// CheckReader is ReaderCheck.Check without parameters, with every name that is called like a table function and is not
// one taken for a parametrised view. It serves in front of a real server as well.
func CheckReader(sql string) error {
	return ReaderCheck{IsView: func(string, string) bool { return true }}.Check(sql)
}

// Check returns an *Exception when a reader may not run the statement: anything but one SELECT, SHOW, DESCRIBE, EXISTS
// or EXPLAIN of such, and in these whatever leaves the engine (INTO OUTFILE, table functions that are not on the list,
// file() and its like), changes settings, or reads system tables that tell of others' statements or of secrets.
func (c ReaderCheck) Check(sql string) error {
	if len(sql) > maxReaderStatement {
		return exceptionf(codeQueryTooLarge, "The statement has %d bytes, more than %d", len(sql), maxReaderStatement)
	}
	tokens, nested, err := tokenize(sql)
	if err != nil {
		return exceptionf(codeSyntaxError, "%w", err)
	}
	if nested {
		return refuse("close the first comment before the second", "a comment inside a comment")
	}
	for len(tokens) > 0 && tokens[len(tokens)-1].punctuation(";") {
		tokens = tokens[:len(tokens)-1]
	}
	if slices.ContainsFunc(tokens, func(t token) bool { return t.punctuation(";") }) {
		return refuse("send them one by one", "more than one statement")
	}
	s := scanner{check: c, tokens: tokens, clause: clausesBefore(tokens)}
	if err := s.statement(0); err != nil {
		return err
	}
	return s.everywhere()
}

// scanner walks over one statement's tokens.
type scanner struct {
	check  ReaderCheck
	tokens []token
	clause []int // for each token, the index of the last word before it, at its depth, that begins a clause; or -1
}

// at gives the token at i, or one that is nothing beyond either end.
func (s *scanner) at(i int) token {
	if i < 0 || i >= len(s.tokens) {
		return token{kind: tokenPunctuation}
	}
	return s.tokens[i]
}

// statement checks how the statement that starts at token i begins.
func (s *scanner) statement(i int) error {
	for {
		for s.at(i).punctuation("(") {
			i++
		}
		first := s.at(i)
		switch {
		case len(s.tokens) == 0:
			return exceptionf(codeSyntaxError, "Syntax error: the statement is empty")
		case first.word("SELECT"), first.word("WITH"), first.word("FROM"), first.word("DESCRIBE"), first.word("DESC"), first.word("EXISTS"):
			return nil
		case first.word("SHOW"):
			return s.show(i + 1)
		case first.word("EXPLAIN"):
			next, err := s.explained(i + 1)
			if err != nil {
				return err
			}
			i = next
		case first.kind == tokenWord:
			return refuse("readers may run SELECT, SHOW, DESCRIBE, EXISTS and EXPLAIN", "%s", strings.ToUpper(first.text))
		default:
			return exceptionf(codeSyntaxError, "Syntax error: the statement does not begin with a keyword")
		}
	}
}

// explained finds the start of the statement that EXPLAIN explains.
func (s *scanner) explained(i int) (int, error) {
	for _, kind := range []string{"AST", "SYNTAX", "PLAN", "PIPELINE", "ESTIMATE"} {
		if s.at(i).word(kind) {
			i++
			break
		}
	}
	if s.at(i).word("QUERY") && s.at(i+1).word("TREE") {
		i += 2
	}
	for s.at(i).kind == tokenWord && s.at(i+1).punctuation("=") { // the explanation's own settings
		i += 3
		if s.at(i).punctuation(",") {
			i++
		}
	}
	if s.at(i).kind == tokenWord && !s.startsStatement(i) {
		return 0, refuse("", "EXPLAIN %s", strings.ToUpper(s.at(i).text))
	}
	return i, nil
}

func (s *scanner) startsStatement(i int) bool {
	return slices.ContainsFunc([]string{"SELECT", "WITH", "FROM", "EXPLAIN"}, s.at(i).word)
}

var (
	showable       = []string{"TABLES", "DATABASES", "COLUMNS", "FIELDS", "FULL", "EXTENDED", "INDEX", "INDEXES", "INDICES", "KEYS", "FUNCTIONS", "DICTIONARIES", "ENGINES", "SETTINGS", "SETTING", "TEMPORARY", "TABLE", "VIEW", "DATABASE"}
	notCreateShown = []string{"USER", "ROLE", "PROFILE", "SETTINGS", "QUOTA", "ROW", "POLICY", "MASKING", "ACCESS", "NAMED", "WORKLOAD", "RESOURCE"}
)

func (s *scanner) show(i int) error {
	what := s.at(i)
	if what.word("CREATE") {
		if object := s.at(i + 1); object.kind == tokenWord && slices.ContainsFunc(notCreateShown, object.word) {
			return refuse("", "SHOW CREATE %s", strings.ToUpper(object.text))
		}
		return nil
	}
	if slices.ContainsFunc(showable, what.word) {
		return nil
	}
	return refuse("", "SHOW %s", strings.ToUpper(what.text))
}

// everywhere checks what is refused wherever in the statement it stands.
func (s *scanner) everywhere() error {
	depth := 0
	for i, t := range s.tokens {
		switch {
		case t.punctuation("("):
			depth++
		case t.punctuation(")"):
			depth--
		case t.punctuation("{"):
			if err := s.parameter(i); err != nil {
				return err
			}
		case t.word("INTO") && (s.at(i+1).word("OUTFILE") || s.at(i+1).word("STREAM") || s.at(i+1).word("INFILE")):
			return refuse("take the result from the response", "INTO %s", strings.ToUpper(s.at(i+1).text))
		case t.word("INSERT") && depth == 0 && s.at(i+1).name():
			return refuse("", "INSERT")
		case t.word("PARALLEL") && s.at(i+1).word("WITH"):
			return refuse("send the statements one by one", "PARALLEL WITH")
		case t.word("SETTINGS") && s.at(i+1).name() && s.at(i+2).punctuation("="):
			return refuse("readers may set a few in the URL", "SETTINGS %s", s.at(i+1).text)
		}
		if err := s.nameAt(i); err != nil {
			return err
		}
	}
	return nil
}

// nameAt checks a name that is called, applied, or stands before a dot.
func (s *scanner) nameAt(i int) error {
	t := s.at(i)
	if !t.name() {
		return nil
	}
	if s.at(i+1).punctuation(".") && s.at(i+2).name() && !s.at(i-1).punctuation(".") {
		if err := systemTable(t.text, s.at(i+2).text); err != nil {
			return err
		}
	}
	called := s.at(i + 1).punctuation("(")
	applied := s.at(i-1).word("APPLY") || s.at(i-1).punctuation("(") && s.at(i-2).word("APPLY")
	if !called && !applied {
		return nil
	}
	if refusedFunction(t.text) {
		return refuse("", "function %s", t.text)
	}
	if !called {
		return nil
	}
	first := i // of a qualified name
	for s.at(first-1).punctuation(".") && s.at(first-2).name() {
		first -= 2
	}
	if !s.tablePosition(first) || tableFunctions[t.text] {
		return nil
	}
	database := ""
	if first < i {
		database = s.at(first).text
	}
	if !scalarAndTable[t.text] && s.check.IsView != nil && s.check.IsView(database, t.text) {
		return nil
	}
	return refuse("readers may use numbers, values, generateRandom, generate_series, null, view, zeros and parametrised views", "table function %s", t.text)
}

// tablePosition reports whether a table is expected at token i: after FROM, JOIN, DESCRIBE and TABLE, and after a comma
// that follows FROM at the same depth of brackets. It may miss odd places: the names of the engine's refused table
// functions are refused wherever they stand, so it only has to find those that look like one.
func (s *scanner) tablePosition(i int) bool {
	previous := s.at(i - 1)
	switch {
	case previous.word("FROM"):
		return s.clauseFrom(i - 1)
	case previous.word("JOIN"), previous.word("DESCRIBE"), previous.word("TABLE"), previous.word("DESC") && i == 1:
		return true
	case previous.word("IN"):
		return scalarAndTable[s.at(i).text]
	case previous.punctuation(","):
		clause := s.clause[i-1]
		return s.at(clause).word("JOIN") || s.at(clause).word("FROM") && s.clauseFrom(clause)
	}
	return false
}

// clauseFrom tells FROM of a SELECT from that of extract(YEAR FROM d), trim(BOTH 'x' FROM s) and IS DISTINCT FROM.
func (s *scanner) clauseFrom(i int) bool {
	if s.at(i-1).word("DISTINCT") && (s.at(i-2).word("IS") || s.at(i-2).word("NOT")) {
		return false
	}
	return i == 0 || s.clause[i] >= 0 || s.at(i-1).punctuation("(") // FROM may come first
}

var clauses = []string{"SELECT", "WITH", "FROM", "JOIN", "WHERE", "PREWHERE", "GROUP", "ORDER", "LIMIT", "HAVING", "QUALIFY", "WINDOW", "SETTINGS", "FORMAT", "USING", "OFFSET", "SHOW"}

// clausesBefore finds, for each token, the last word that begins a clause before it at its depth of brackets.
func clausesBefore(tokens []token) []int {
	before := make([]int, len(tokens))
	open := []int{-1} // one entry a depth
	for i, t := range tokens {
		if t.punctuation(")") && len(open) > 1 {
			open = open[:len(open)-1]
		}
		before[i] = open[len(open)-1]
		switch {
		case t.punctuation("("):
			open = append(open, -1)
		case t.kind == tokenWord && len(t.text) <= len("PREWHERE") && slices.Contains(clauses, strings.ToUpper(t.text)):
			open[len(open)-1] = i
		}
	}
	return before
}

// parameter checks {name:Identifier}, whose value becomes part of the statement.
func (s *scanner) parameter(i int) error {
	if !s.at(i+1).name() || !s.at(i+2).punctuation(":") || !s.at(i+3).name() || !strings.EqualFold(s.at(i+3).text, "Identifier") {
		return nil
	}
	value, given := s.check.Params[s.at(i+1).text]
	if !given {
		return refuse("name the table or column itself", "a parameter of type Identifier without a value")
	}
	if strings.ContainsAny(value, "\\`\"") {
		return refuse("give the bare name", "quotes or escapes in a parameter of type Identifier")
	}
	parts := strings.FieldsFunc(value, func(r rune) bool { return r == '.' || r == ' ' })
	if slices.Contains(parts, "system") {
		return refuse("name the system table in the statement itself", "a parameter that names the database system")
	}
	return nil
}
