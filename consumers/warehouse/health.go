package warehouse

import "context"

// Health is what an operator asks of the warehouse's server.
type Health struct {
	Version string
	// Schema is the newest migration that was applied, 0 for none.
	Schema uint32
	// OpenDeadLetters are those about which nothing was done.
	OpenDeadLetters uint64
	// Replicated are the tables that several servers keep; of these ReadOnly take nothing, and Delay is how many seconds the
	// slowest is behind.
	Replicated, ReadOnly, Delay uint64
}

// Health asks the server.
func (w *Warehouse) Health(ctx context.Context) (h Health, err error) {
	if err := w.conn.QueryRow(ctx, "SELECT version()").Scan(&h.Version); err != nil {
		return h, unavailable("ask for the version", err)
	}
	if h.Schema, err = w.Schema(ctx); err != nil || h.Schema == 0 {
		return h, err
	}
	err = w.conn.QueryRow(ctx, "SELECT count() FROM dead_letters FINAL WHERE stream_seq NOT IN (SELECT stream_seq FROM dead_letter_actions)").Scan(&h.OpenDeadLetters)
	if err != nil {
		return h, unavailable("count the dead letters", err)
	}
	var there uint64
	if err := w.conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = 'system' AND name = 'replicas'").Scan(&there); err != nil {
		return h, unavailable("look for replicas", err)
	}
	if there == 0 {
		return h, nil
	}
	err = w.conn.QueryRow(ctx, "SELECT count(), countIf(is_readonly), max(absolute_delay) FROM system.replicas WHERE database = currentDatabase()").Scan(&h.Replicated, &h.ReadOnly, &h.Delay)
	if err != nil {
		return h, unavailable("look for replicas", err)
	}
	return h, nil
}
