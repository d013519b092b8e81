package clickhouse

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"github.com/ebitengine/purego"
)

// library is libchdb, bound without cgo. A pointer that starts with c is the engine's own.
type library struct {
	connect     func(argc int32, argv unsafe.Pointer) (cConnection unsafe.Pointer)
	closeConn   func(cConnection unsafe.Pointer)
	query       func(cConnection, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) (cResult unsafe.Pointer)
	destroy     func(cResult unsafe.Pointer)
	buffer      func(cResult unsafe.Pointer) unsafe.Pointer
	length      func(cResult unsafe.Pointer) uintptr
	failure     func(cResult unsafe.Pointer) string
	elapsed     func(cResult unsafe.Pointer) float64
	resultRows  func(cResult unsafe.Pointer) uint64
	resultBytes func(cResult unsafe.Pointer) uint64
	rowsRead    func(cResult unsafe.Pointer) uint64
	bytesRead   func(cResult unsafe.Pointer) uint64
	rowsWritten func(cResult unsafe.Pointer) uint64
	bytesWrite  func(cResult unsafe.Pointer) uint64

	insert        func(cConnection, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) (cStream unsafe.Pointer)
	insertAppend  func(cStream, data unsafe.Pointer, length uintptr) int32
	insertDone    func(cStream unsafe.Pointer) (cResult unsafe.Pointer)
	insertCancel  func(cStream unsafe.Pointer)
	insertFailure func(cStream unsafe.Pointer) string
	insertDestroy func(cStream unsafe.Pointer)

	classify func(cConnection, sql unsafe.Pointer, sqlLen uintptr, database unsafe.Pointer, databaseLen uintptr, report unsafe.Pointer) int32

	setSignalHandlers func(enabled int32)
	setEnvironment    func(name, value string, overwrite int32) int32
}

// loadLibrary loads libchdb and prepares the process for it.
func loadLibrary(path string) (*library, error) {
	if path == "" {
		return nil, errors.New("embedded ClickHouse: no engine library given; hint: package assets finds or fetches it, or use a real server")
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("embedded ClickHouse: the engine library is not there: %w", err)
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("embedded ClickHouse: %s is no engine library for this machine: %w", path, err)
	}
	l := &library{}
	for name, function := range map[string]any{
		"chdb_connect": &l.connect, "chdb_close_conn": &l.closeConn, "chdb_query_with_params_n": &l.query,
		"chdb_destroy_query_result": &l.destroy, "chdb_result_buffer": &l.buffer, "chdb_result_length": &l.length,
		"chdb_result_error": &l.failure, "chdb_result_elapsed": &l.elapsed, "chdb_result_rows_read": &l.resultRows,
		"chdb_result_bytes_read": &l.resultBytes, "chdb_result_storage_rows_read": &l.rowsRead,
		"chdb_result_storage_bytes_read": &l.bytesRead, "chdb_result_rows_written": &l.rowsWritten,
		"chdb_result_bytes_written": &l.bytesWrite, "chdb_stream_insert_with_params_n": &l.insert,
		"chdb_stream_append": &l.insertAppend, "chdb_stream_done": &l.insertDone, "chdb_stream_cancel_insert": &l.insertCancel,
		"chdb_stream_insert_error": &l.insertFailure, "chdb_destroy_insert_stream": &l.insertDestroy,
		"chdb_classify_query_n": &l.classify, "chdb_set_signal_handlers_enabled": &l.setSignalHandlers,
	} {
		symbol, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, fmt.Errorf("embedded ClickHouse: %s is another version than this program was made for: %w", path, err)
		}
		purego.RegisterFunc(function, symbol)
	}
	setenv, err := purego.Dlsym(purego.RTLD_DEFAULT, "setenv")
	if err != nil {
		return nil, fmt.Errorf("embedded ClickHouse: %w", err)
	}
	purego.RegisterFunc(&l.setEnvironment, setenv)

	// The engine's handlers would keep a Go fault (a nil dereference) from becoming a panic: the process would hang.
	l.setSignalHandlers(0)
	// The engine takes its server time zone from TZ alone (its own option is ignored). This sets the C library's
	// environment, which Go neither reads nor passes on, so nothing else in the process changes its zone.
	if l.setEnvironment("TZ", "UTC", 1) != 0 {
		return nil, errors.New("embedded ClickHouse: cannot set the engine's time zone")
	}
	return l, nil
}
