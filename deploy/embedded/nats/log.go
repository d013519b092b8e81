package nats

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// logger gives the server's lines to slog and remembers the last fatal one: the server only logs why it did not start.
type logger struct {
	log *slog.Logger

	mu    sync.Mutex
	fatal string
}

func (l *logger) write(level slog.Level, format string, v []any) {
	if l.log != nil {
		l.log.Log(context.Background(), level, fmt.Sprintf(format, v...), "component", "nats")
	}
}

func (l *logger) lastFatal() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal == "" {
		return "no reason was logged"
	}
	return l.fatal
}

// Noticef implements the server's Logger.
func (l *logger) Noticef(format string, v ...any) { l.write(slog.LevelDebug, format, v) }

// Warnf implements the server's Logger.
func (l *logger) Warnf(format string, v ...any) { l.write(slog.LevelWarn, format, v) }

// Errorf implements the server's Logger.
func (l *logger) Errorf(format string, v ...any) { l.write(slog.LevelError, format, v) }

// Debugf implements the server's Logger; the server is never asked for debug lines.
func (l *logger) Debugf(string, ...any) {}

// Tracef implements the server's Logger; the server is never asked to trace.
func (l *logger) Tracef(string, ...any) {}

// Fatalf implements the server's Logger. The embedded server must not end the process.
func (l *logger) Fatalf(format string, v ...any) {
	l.mu.Lock()
	l.fatal = fmt.Sprintf(format, v...)
	l.mu.Unlock()
	l.write(slog.LevelError, format, v)
}
