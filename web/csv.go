package web

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"milepost/schemas"
)

// writeLedgerCSV writes the flat ledger with a byte-order mark, so that
// spreadsheets read the Chinese text as UTF-8.
func writeLedgerCSV(w *bufio.Writer, rules *schemas.Rules, asOf schemas.Date, rows iter.Seq2[*schemas.Standing, error]) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	columns := schemas.LedgerColumns()
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.Name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for s, err := range rows {
		if err != nil {
			return err
		}
		row := s.Row(rules, asOf)
		for j, c := range columns {
			text, err := cellText(c.Value(&row))
			if err != nil {
				return fmt.Errorf("column %s: %w", c.Name, err)
			}
			record[j] = text
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func cellText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return harmless(v), nil
	case *string:
		if v == nil {
			return "", nil
		}
		return harmless(*v), nil
	case []string:
		return harmless(strings.Join(v, "、")), nil
	case schemas.Date:
		return v.String(), nil
	case schemas.Money:
		return v.String(), nil
	case *schemas.Money:
		if v == nil {
			return "", nil
		}
		return v.String(), nil
	case *schemas.Figure:
		if v == nil {
			return "", nil
		}
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case *int:
		if v == nil {
			return "", nil
		}
		return strconv.Itoa(*v), nil
	case schemas.OrderedVerdicts:
		text, err := json.Marshal(v)
		return string(text), err
	}
	return "", fmt.Errorf("no text for a %T", value)
}

// harmless keeps a spreadsheet from taking text for a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
