package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// verify checks that every event is there once and that all ways of consuming
// left the same content, and drops the database.
func (t *trial) verify(ctx context.Context, dsn string, ours bool) error {
	counts, err := ask(ctx, dsn, "SELECT count(), uniqExact(event_id), uniqExact(toYear(business_date)) FROM events FINAL")
	if err != nil {
		return err
	}
	if want := fmt.Sprintf("%d\t%d\t3", t.events, t.events); counts != want && t.events >= 10_000 || !strings.HasPrefix(counts, fmt.Sprintf("%d\t%d\t", t.events, t.events)) {
		return fmt.Errorf("rows, identities and years are %q, not %q", counts, want)
	}
	// What depends on the round (when the stream took it) is left out, and the
	// packed form, which the control does not make.
	content, err := ask(ctx, dsn, "SELECT sum(cityHash64(event_id, type, project_id, district, business_date, occurred_at, stream_seq, actor, data)) FROM events FINAL")
	if err != nil {
		return err
	}
	if t.content == "" {
		t.content = content
	}
	if ours {
		unwanted, err := ask(ctx, dsn, "SELECT (SELECT count() FROM conflicts), (SELECT count() FROM dead_letters)")
		if err != nil {
			return err
		}
		if unwanted != "0\t0" {
			return fmt.Errorf("conflicts and dead letters are %q", unwanted)
		}
	}
	if content != t.content {
		return errors.New("the table holds other content than that of the round before")
	}
	database := dsn[strings.LastIndexByte(dsn, '/')+1:]
	_, err = ask(ctx, t.warehouse.address, "DROP DATABASE "+database+" SYNC")
	return err
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// ask runs a statement over the HTTP interface and gives its answer as text.
func ask(ctx context.Context, dsn, sql string) (string, error) {
	address, err := url.Parse(dsn)
	if err != nil {
		return "", err
	}
	address.RawQuery = url.Values{"database": {strings.Trim(address.Path, "/")}}.Encode()
	address.Path = "/"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return "", err
	}
	answer := strings.TrimSpace(string(text))
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", sql, answer)
	}
	return answer, nil
}
