// Package clickhouse holds the warehouse's tables and views as ordered migrations, NNNN_name.sql. They are applied in
// the order of their numbers, each once, and never changed afterwards: a change is a new file.
//
// Rules of a file: plain ClickHouse statements that end with a semicolon; each may run again without harm (IF NOT
// EXISTS, CREATE OR REPLACE VIEW), because a migration is recorded only after its last statement and a crash in between
// repeats it; each table's engine stands on a line of its own that starts with "ENGINE = ", and no statement names a
// database. With these a cluster needs no second text: Replicated is put before the engine's name and ON CLUSTER behind
// the object's when a file is applied.
package clickhouse

import (
	"embed"
	"io/fs"
)

//go:embed *.sql
var files embed.FS

// Migrations gives the migrations' files.
func Migrations() fs.FS { return files }
