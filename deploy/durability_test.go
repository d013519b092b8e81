package deploy

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"milepost/deploy/settings"
)

// Power is the default, and the only durability that makes the embedded NATS
// sync before it acknowledges.
func TestDurabilityPowerSyncs(t *testing.T) {
	t.Parallel()
	for durability, want := range map[string]bool{"": true, "power": true, "process": false} {
		app := &App{config: settings.Config{Data: t.TempDir(), Durability: durability}.WithDefaults(), now: time.Now, log: slog.New(slog.DiscardHandler)}
		if err := app.startNATS(); err != nil {
			t.Fatal(err)
		}
		if got := app.embeddedNATS.SyncAlways(); got != want {
			t.Errorf("durability %q: syncs %t, want %t", durability, got, want)
		}
		for len(app.closers) > 0 {
			if err := app.closeLast(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}
}
