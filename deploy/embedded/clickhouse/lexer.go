package clickhouse

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind is what a piece of a statement is.
type tokenKind uint8

const (
	tokenWord        tokenKind = iota // bare word: keyword, identifier or number
	tokenQuotedName                   // "name" or `name`
	tokenString                       // 'text', x'41', b'01', $tag$text$tag$
	tokenPunctuation                  // one character
)

// token is one piece of a statement that means something: white space and comments are left out.
type token struct {
	kind       tokenKind
	text       string // the word, the unquoted name, or the character; empty for strings
	start, end int    // its place in the statement, in bytes
}

// word reports whether the token is this bare word in any case; want is in upper case.
func (t token) word(want string) bool {
	return t.kind == tokenWord && strings.EqualFold(t.text, want)
}

func (t token) punctuation(want string) bool {
	return t.kind == tokenPunctuation && t.text == want
}

// name reports whether the token can name a table, a column or a function.
func (t token) name() bool { return t.kind == tokenWord || t.kind == tokenQuotedName }

// syntaxError is a statement that the lexer cannot read; the engine would answer with the same code.
type syntaxError struct {
	at     int
	reason string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("Syntax error at byte %d: %s", e.at, e.reason)
}

// lexer cuts a statement into tokens as the engine's own lexer does. Where versions of ClickHouse differ in what they
// read (which would let text hide from a check), it refuses instead of choosing.
type lexer struct {
	sql string
	pos int
	// nestedComment remembers that a comment was opened inside a comment: some versions nest them and some do not.
	nestedComment bool
}

// next gives the next token; ok is false at the end of the statement.
func (l *lexer) next() (t token, ok bool, err error) {
	if err := l.skipBlank(); err != nil {
		return token{}, false, err
	}
	if l.pos >= len(l.sql) {
		return token{}, false, nil
	}
	start := l.pos
	t, err = l.scan()
	if err != nil {
		return token{}, false, err
	}
	t.start, t.end = start, l.pos
	return t, true, nil
}

func (l *lexer) scan() (token, error) {
	c := l.sql[l.pos]
	rest := l.sql[l.pos:]
	switch {
	case c == '\'':
		return token{kind: tokenString}, l.skipQuoted('\'', nil)
	case c == '"' || c == '`':
		var name strings.Builder
		err := l.skipQuoted(c, &name)
		return token{kind: tokenQuotedName, text: name.String()}, err
	case strings.HasPrefix(rest, "‘"):
		_, err := l.skipTypographic("‘", "’")
		return token{kind: tokenString}, err
	case strings.HasPrefix(rest, "“"):
		name, err := l.skipTypographic("“", "”")
		return token{kind: tokenQuotedName, text: name}, err
	case len(rest) > 1 && rest[1] == '\'' && strings.IndexByte("xXbB", c) >= 0:
		return token{kind: tokenString}, l.skipBytesLiteral()
	case c == '$':
		if taken, err := l.skipHeredoc(); taken || err != nil {
			return token{kind: tokenString}, err
		}
		return l.scanWord(), nil
	case wordByte(c):
		return l.scanWord(), nil
	case c < utf8.RuneSelf && c > ' ' && c != '\\' && c != 0x7f:
		l.pos++
		return token{kind: tokenPunctuation, text: rest[:1]}, nil
	case strings.HasPrefix(rest, "−"): // the engine reads the typographic minus as a minus
		l.pos += len("−")
		return token{kind: tokenPunctuation, text: "-"}, nil
	}
	return token{}, &syntaxError{l.pos, "a character that is not part of SQL"}
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (l *lexer) scanWord() token {
	start := l.pos
	for l.pos < len(l.sql) && (wordByte(l.sql[l.pos]) || l.sql[l.pos] == '$') {
		l.pos++
	}
	return token{kind: tokenWord, text: l.sql[start:l.pos]}
}

// skipBlank passes white space and comments.
func (l *lexer) skipBlank() error {
	for l.pos < len(l.sql) {
		rest := l.sql[l.pos:]
		switch c := rest[0]; {
		case c == ' ' || c >= '\t' && c <= '\r':
			l.pos++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "//"),
			strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.pos += end
		case strings.HasPrefix(rest, "/*"):
			if err := l.skipComment(); err != nil {
				return err
			}
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(rest)
			if !unicode.IsSpace(r) && r != '\u200b' && r != '\ufeff' {
				return nil
			}
			l.pos += size
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) skipComment() error {
	start, depth := l.pos, 0
	for l.pos < len(l.sql) {
		rest := l.sql[l.pos:]
		switch {
		case strings.HasPrefix(rest, "/*"):
			l.nestedComment = l.nestedComment || depth > 0
			depth++
			l.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.pos += 2
			if depth == 0 {
				return nil
			}
		default:
			l.pos++
		}
	}
	return &syntaxError{start, "the comment is not closed"}
}

// skipQuoted passes a quoted text with backslash escapes and doubled quotes, and writes what it says to value.
func (l *lexer) skipQuoted(quote byte, value *strings.Builder) error {
	start := l.pos
	for l.pos++; l.pos < len(l.sql); l.pos++ {
		c := l.sql[l.pos]
		switch {
		case c == '\\' && l.pos+1 < len(l.sql):
			l.pos++
			c = l.sql[l.pos]
		case c == quote && l.pos+1 < len(l.sql) && l.sql[l.pos+1] == quote:
			l.pos++
		case c == quote:
			l.pos++
			return nil
		}
		if value != nil {
			value.WriteByte(c)
		}
	}
	return &syntaxError{start, "the quote is not closed"}
}

func (l *lexer) skipTypographic(open, closing string) (string, error) {
	start := l.pos
	body := l.sql[l.pos+len(open):]
	end := strings.Index(body, closing)
	if end < 0 {
		return "", &syntaxError{start, "the quote is not closed"}
	}
	l.pos += len(open) + end + len(closing)
	return body[:end], nil
}

// skipBytesLiteral passes x'…' and b'…', in which a backslash is no escape.
func (l *lexer) skipBytesLiteral() error {
	start := l.pos
	digits := "01"
	if c := l.sql[l.pos]; c == 'x' || c == 'X' {
		digits = "0123456789abcdefABCDEF"
	}
	for l.pos += 2; l.pos < len(l.sql) && strings.IndexByte(digits, l.sql[l.pos]) >= 0; l.pos++ {
	}
	if l.pos >= len(l.sql) || l.sql[l.pos] != '\'' {
		return &syntaxError{start, "not a hexadecimal or binary string"}
	}
	l.pos++
	return nil
}

// skipHeredoc passes $tag$…$tag$. A dollar that opens none is part of a word.
func (l *lexer) skipHeredoc() (taken bool, err error) {
	rest := l.sql[l.pos:]
	end := strings.IndexByte(rest[1:], '$')
	if end < 0 {
		return false, nil
	}
	tag := rest[:end+2]
	for _, c := range []byte(tag[1 : len(tag)-1]) {
		if !wordByte(c) {
			return false, nil
		}
	}
	closing := strings.Index(rest[len(tag):], tag)
	if closing < 0 {
		return false, &syntaxError{l.pos, "the heredoc " + tag + " is not closed"}
	}
	l.pos += len(tag) + closing + len(tag)
	return true, nil
}

// tokenize cuts a whole statement.
func tokenize(sql string) (tokens []token, nestedComment bool, err error) {
	l := lexer{sql: sql}
	for {
		t, ok, err := l.next()
		if err != nil {
			return nil, false, err
		}
		if !ok {
			return tokens, l.nestedComment, nil
		}
		tokens = append(tokens, t)
	}
}
