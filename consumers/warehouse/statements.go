package warehouse

import "strings"

// splitStatements cuts SQL text at the semicolons that end statements, knowing comments and quotes. The statements come
// without the comments before them, and without empty ones. An unclosed quote or comment reaches to the end of the text:
// the server will name it.
func splitStatements(text string) []string {
	var statements []string
	start, i := 0, 0
	take := func(end int) {
		if statement := strings.TrimSpace(text[start:end]); statement != "" {
			statements = append(statements, statement)
		}
	}
	for i < len(text) {
		switch end := skipComment(text, i); {
		case end > i:
			if strings.TrimSpace(text[start:i]) == "" {
				start = end
			}
			i = end
		case text[i] == '\'' || text[i] == '"' || text[i] == '`':
			i = skipQuoted(text, i)
		case text[i] == ';':
			take(i)
			i++
			start = i
		default:
			i++
		}
	}
	take(len(text))
	return statements
}

// skipComment gives the end of the comment that begins at i, or i when none does.
func skipComment(text string, i int) int {
	var end string
	switch {
	case strings.HasPrefix(text[i:], "--"):
		end = "\n"
	case strings.HasPrefix(text[i:], "/*"):
		end = "*/"
	default:
		return i
	}
	length := strings.Index(text[i+2:], end)
	if length < 0 {
		return len(text)
	}
	return i + 2 + length + len(end)
}

// skipQuoted gives the end of the quoted text that begins at i. A quote inside is doubled, which reads as two quoted
// texts side by side, or follows a backslash.
func skipQuoted(text string, i int) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		}
	}
	return len(text)
}
