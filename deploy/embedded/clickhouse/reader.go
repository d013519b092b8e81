package clickhouse

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// AnalystUser is the name by which readers come in.
const AnalystUser = "analyst"

// readerUser is ClickHouse's name of the user that nobody named.
const readerUser = "default"

// OnlyThisMachine tells whether a listener on the address (host:port) is out of reach of other machines.
func OnlyThisMachine(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && isOwnName(host)
}

// isOwnName tells whether a host is one of the names that this machine has for itself.
func isOwnName(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && ip.Unmap().IsLoopback()
}

// askedByOwnName tells whether the Host header of a request is one of this machine's own names, with or without a port.
func askedByOwnName(header string) bool {
	if host, _, err := net.SplitHostPort(header); err == nil {
		return isOwnName(host)
	}
	return isOwnName(header)
}

// settings gives the limits in the engine's terms, readonly last: nothing can be set after it.
func (l Limits) settings() []setting {
	return []setting{
		{"max_memory_usage", formatUint(l.MemoryBytes)},
		{"max_execution_time", strconv.FormatFloat(l.ExecutionTime.Seconds(), 'f', -1, 64)},
		{"timeout_overflow_mode", "throw"},
		{"max_result_rows", formatUint(l.ResultRows)},
		{"max_result_bytes", formatUint(l.ResultBytes)},
		{"result_overflow_mode", "throw"},
		{"max_rows_to_read", formatUint(l.ReadRows)},
		{"max_bytes_to_read", formatUint(l.ReadBytes)},
		{"read_overflow_mode", "throw"},
		{"max_threads", formatUint(l.Threads)},
		{"max_query_size", strconv.Itoa(maxReaderStatement)},
		// Temporary files of big sorts would be a way to fill the disk.
		{"max_temporary_data_on_disk_size_for_query", "1073741824"},
		{"format_display_secrets_in_show_and_select", "0"},
		{"readonly", "1"},
	}
}

// lower takes a reader's own limit when it is lower than ours. One above ours is taken as ours instead of refused,
// because clients send such limits on their own (clickhouse-go its context's deadline, Grafana its timeout).
func (l Limits) lower(name, value string) (Limits, bool, error) {
	field := map[string]*uint64{
		"max_memory_usage": &l.MemoryBytes, "max_result_rows": &l.ResultRows, "max_result_bytes": &l.ResultBytes,
		"max_rows_to_read": &l.ReadRows, "max_bytes_to_read": &l.ReadBytes, "max_threads": &l.Threads,
	}[name]
	switch {
	case field != nil:
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return l, true, exceptionf(codeBadArguments, "Setting %s: %q is not a number", name, value)
		}
		if n > 0 {
			*field = min(*field, n)
		}
		return l, true, nil
	case name == "max_execution_time":
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || !(seconds >= 0) {
			return l, true, exceptionf(codeBadArguments, "Setting %s: %q is not a number of seconds", name, value)
		}
		if seconds > 0 && seconds < l.ExecutionTime.Seconds() {
			l.ExecutionTime = time.Duration(seconds * float64(time.Second))
		}
		return l, true, nil
	}
	return l, false, nil
}

// readerSettings are the settings that readers may give in the URL besides lower limits: they shape the result, or
// concern how it is sent, and can neither loosen a limit nor name a file.
var readerSettings = nameSet(`
date_time_output_format date_time_input_format bool_true_representation bool_false_representation session_timezone
use_client_time_zone join_use_nulls extremes log_comment decimal_trailing_zeros float_precision
cast_keep_nullable union_default_mode group_by_use_nulls transform_null_in limit offset prefer_column_name_to_alias
send_progress_in_http_headers http_headers_progress_interval_ms http_response_buffer_size cancel_http_readonly_queries_on_client_close
http_write_exception_in_output_format http_zlib_compression_level network_compression_method network_zstd_compression_level
format_csv_delimiter format_csv_null_representation format_tsv_null_representation format_custom_escaping_rule
format_custom_field_delimiter format_custom_result_after_delimiter format_custom_result_before_delimiter
format_custom_row_after_delimiter format_custom_row_before_delimiter format_custom_row_between_delimiter
format_json_object_each_row_column_for_object_name`)

// mayReaderSet reports whether readers may give the setting in the URL.
func mayReaderSet(name string) bool {
	// output_format_schema is the path of a file that the engine would write.
	return readerSettings[name] || strings.HasPrefix(name, "output_format_") && name != "output_format_schema"
}

// readerProfile joins a reader's URL settings and the limits.
func readerProfile(database string, given []setting, limits Limits) (profile, error) {
	if strings.EqualFold(database, "system") {
		return profile{}, refuse("name system.tables and its like in the statement", "database system")
	}
	p := profile{database: database}
	for _, s := range given {
		var isLimit bool
		var err error
		limits, isLimit, err = limits.lower(s.name, s.value)
		switch {
		case err != nil:
			return profile{}, err
		case isLimit:
		case s.name == "readonly" && (s.value == "1" || s.value == "2"): // it is 1 in any case
		case s.name == "max_block_size":
			if n, err := strconv.ParseUint(s.value, 10, 64); err != nil || n == 0 || n > 1<<20 {
				return profile{}, exceptionf(codeBadArguments, "Setting max_block_size: %q is not within 1…1048576", s.value)
			}
			p.settings = append(p.settings, s)
		case mayReaderSet(s.name):
			p.settings = append(p.settings, s)
		default:
			return profile{}, &Exception{Code: codeReadonly, Message: fmt.Sprintf("Cannot modify '%s' setting in readonly mode", s.name)}
		}
	}
	sortSettings(p.settings)
	p.settings = append(p.settings, limits.settings()...)
	return p, nil
}
