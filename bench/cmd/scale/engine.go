package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"milepost/consumers/warehouse"
	"milepost/deploy/embedded/assets"
	"milepost/deploy/embedded/clickhouse"
	"milepost/deploy/histories"
	"milepost/schemas"
)

// engine is a ClickHouse in this process.
type engine struct {
	server *clickhouse.Server
	folder string
	keep   bool
}

// openEngine opens one in a folder that is kept, or in a temporary one.
func openEngine(ctx context.Context, folder string) (*engine, error) {
	library, err := assets.Store{Progress: os.Stderr}.Library(ctx)
	if err != nil {
		return nil, err
	}
	keep := folder != ""
	if keep {
		err = os.MkdirAll(folder, 0o755)
	} else {
		folder, err = os.MkdirTemp("", "milepost-scale-")
	}
	if err != nil {
		return nil, err
	}
	server, err := clickhouse.Start(ctx, clickhouse.Config{Library: library, Dir: folder})
	if err != nil {
		return nil, err
	}
	return &engine{server, folder, keep}, nil
}

func (e *engine) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := e.server.Close(ctx); err != nil {
		return err
	}
	if e.keep {
		return nil
	}
	return os.RemoveAll(e.folder)
}

// address is the writer's, with a database.
func (e *engine) address(database string) *url.URL {
	address, err := url.Parse(e.server.WriterDSN())
	if err != nil {
		panic(err) // the server made it
	}
	address.Path = "/" + database
	return address
}

// ask runs a statement and gives its answer.
func (e *engine) ask(ctx context.Context, database, sql string) (string, error) {
	address := e.address("")
	address.RawQuery = url.Values{"database": {database}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", sql, text)
	}
	return strings.TrimSpace(string(text)), nil
}

// filled says what a warehouse was filled with. It stands for the stream, whose
// messages are all applied.
type filled struct{ events, bytes uint64 }

// Watermark is the last sequence.
func (f *filled) Watermark(context.Context) (uint64, error) { return f.events, nil }

// Deliveries gives none: no identity comes twice.
func (f *filled) Deliveries(context.Context, []uint64) ([]warehouse.Delivery, error) { return nil, nil }

// batchSize is that of the consumers behind a backlog.
const batchSize = 20_000

// fill writes the province's events as the consumers do.
func fill(ctx context.Context, w *warehouse.Warehouse, province histories.Province, f *filled) error {
	rows := warehouse.NewRows()
	write := func() error {
		_, err := w.Write(ctx, warehouse.Batch{Rows: rows, Backlog: true})
		rows.Reset()
		return err
	}
	for e, err := range province.Events() {
		if err != nil {
			return err
		}
		fingerprint, err := schemas.FingerprintOf(e.Raw)
		if err != nil {
			return err
		}
		f.events++
		f.bytes += uint64(len(e.Raw))
		err = rows.Add(&warehouse.Delivery{Event: e, Fingerprint: fingerprint, Sequence: f.events, RecordedAt: e.Time, Actor: "http:127.0.0.1"})
		if err == nil && rows.Len() == batchSize {
			err = write()
		}
		if err != nil {
			return err
		}
	}
	return write()
}

// filledBefore tells whether a run before this one filled the province, and with what.
func (e *engine) filledBefore(ctx context.Context, database string, r *row) (bool, error) {
	text, err := e.ask(ctx, database, "SELECT count(), max(bytes), max(seconds), (SELECT max(stream_seq) FROM events) FROM filled FORMAT TSV")
	if err != nil {
		return false, err
	}
	var times int
	_, err = fmt.Sscan(text, &times, &r.filled.bytes, &r.loading, &r.filled.events)
	return times > 0, err
}

// noteFilled is for the next run.
func (e *engine) noteFilled(ctx context.Context, database string, r *row) error {
	_, err := e.ask(ctx, database, fmt.Sprintf("INSERT INTO filled VALUES (%d, %f)", r.filled.bytes, r.loading))
	return err
}

// settleTime bounds how long the merges are waited for.
const settleTime = 5 * time.Minute

// settle waits until the engine has merged what was written: what is measured
// is a table that has been there for a while.
func (e *engine) settle(ctx context.Context) error {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(settleTime); time.Now().Before(deadline); {
		merging, err := e.ask(ctx, "system", "SELECT count() FROM system.merges")
		if err != nil || merging == "0" {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}
