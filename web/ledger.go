package web

import (
	"bufio"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strconv"
	"time"

	"milepost/schemas"
)

// ledger answers GET /v1/ledger?as_of=&known=&format=json|ndjson|csv&limit=&after=&district=&status=&light=. Rows go out as they
// are read, so that their number costs no memory.
func (a *api) ledger(w http.ResponseWriter, r *http.Request) error {
	asOf := schemas.DateOf(a.Now())
	if given := r.FormValue("as_of"); given != "" {
		var err error
		if asOf, err = schemas.ParseDate(given); err != nil {
			return inField(err, "as_of")
		}
	}
	choice, err := a.ledgerChoice(r, asOf)
	if err != nil {
		return err
	}
	known, err := a.known(r.Context(), r.FormValue("known"))
	if err != nil {
		return err
	}
	rules := a.Rules.On(asOf)
	rows, err := choice.of(a.Ledgers.Standings(r.Context(), schemas.LedgerCut(asOf, known), choice.after))
	if err != nil {
		return err
	}
	w.Header().Set("Milepost-Known-Seq", strconv.FormatUint(known, 10))
	if rows.next != "" {
		w.Header().Set("Milepost-Next-After", rows.next)
	}
	w.Header().Set("Content-Type", ledgerFormats()[choice.format])
	out := bufio.NewWriterSize(w, 64<<10)
	write := map[string]func(*bufio.Writer, *schemas.Rules, schemas.Date, iter.Seq2[*schemas.Standing, error]) error{
		"json": writeLedgerJSON, "ndjson": writeLedgerLines, "csv": writeLedgerCSV,
	}[choice.format]
	if err := write(out, rules, asOf, rows.list); err != nil {
		return err
	}
	return out.Flush()
}

func writeLedgerJSON(w *bufio.Writer, rules *schemas.Rules, asOf schemas.Date, rows iter.Seq2[*schemas.Standing, error]) error {
	separator := "[\n"
	for s, err := range rows {
		if err != nil {
			return err
		}
		row := s.Row(rules, asOf)
		text, err := json.Marshal(&row)
		if err != nil {
			return err
		}
		_, _ = w.WriteString(separator) // what fails once fails at the end, too
		_, _ = w.Write(text)
		separator = ",\n"
	}
	end := "\n]\n"
	if separator == "[\n" {
		end = "[]\n"
	}
	_, err := w.WriteString(end)
	return err
}

func writeLedgerLines(w *bufio.Writer, rules *schemas.Rules, asOf schemas.Date, rows iter.Seq2[*schemas.Standing, error]) error {
	for s, err := range rows {
		if err != nil {
			return err
		}
		row := s.Row(rules, asOf)
		text, err := json.Marshal(&row)
		if err != nil {
			return err
		}
		if _, err := w.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// known reads S: nothing is the applied watermark; a number is a sequence,
// waited for while the consumers catch up; anything else is a time.
func (a *api) known(ctx context.Context, given string) (uint64, error) {
	if given == "" {
		return a.Knowledge.Watermark(ctx)
	}
	if seq, err := strconv.ParseUint(given, 10, 64); err == nil {
		wait, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := a.Knowledge.WaitApplied(wait, seq); err != nil {
			return 0, &schemas.Error{Code: schemas.Invalid, Field: "known", Value: given, Message: "the sequence is not applied yet", Hint: "ask for a sequence up to the applied watermark (GET /v1/watermark)", Err: err}
		}
		return seq, nil
	}
	at, err := parseTime(given)
	if err != nil {
		return 0, err
	}
	return a.Knowledge.SequenceAt(ctx, at)
}

// parseTime reads RFC 3339, or a day, which means its end in Asia/Shanghai.
func parseTime(given string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, given); err == nil {
		return at, nil
	}
	if day, err := schemas.ParseDate(given); err == nil {
		return (day + 1).Start().Add(-time.Nanosecond), nil
	}
	return time.Time{}, &schemas.Error{Code: schemas.Invalid, Field: "known", Value: schemas.Shorten(given), Message: "neither a sequence nor a time", Hint: "write a stream sequence, a day such as 2025-10-31, or a time such as 2025-10-31T18:00:00+08:00"}
}

func (a *api) watermark(w http.ResponseWriter, r *http.Request) error {
	seq, err := a.Knowledge.Watermark(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]uint64{"known_seq": seq})
}

func formatOr(r *http.Request, byDefault string) string {
	if f := r.FormValue("format"); f != "" {
		return f
	}
	return byDefault
}

func unknownFormat(given, choice string) error {
	return &schemas.Error{Code: schemas.Invalid, Field: "format", Value: schemas.Shorten(given), Message: "no such format", Hint: "choose " + choice}
}

func inField(err error, field string) error {
	if e, ok := err.(*schemas.Error); ok {
		named := *e
		named.Field = field
		return &named
	}
	return err
}
