package warehouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"

	"milepost/schemas"
	migrations "milepost/schemas/clickhouse"
)

// migration is one file of schemas/clickhouse.
type migration struct {
	number     uint32
	name       string
	sha256     string
	statements []string
}

// The record of what was applied is made before the first migration, which it could not be part of.
const createMigrationTable = `CREATE TABLE IF NOT EXISTS schema_migrations
(
    number UInt32 COMMENT '序号',
    name String COMMENT '名称: the migration''s file',
    sha256 String COMMENT '散列: of the file''s text, in hexadecimal',
    applied_at DateTime64(3, 'Asia/Shanghai') COMMENT '执行时间'
)
ENGINE = ReplacingMergeTree
ORDER BY number
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '数据结构版本: the migrations that were applied'`

// Migrate brings the database's schema up to date. It is refused, with the code conflict, when the database was made by
// a newer version, or by another text of a migration than this one's. A migration is recorded after it succeeded; one
// that was interrupted is repeated.
func (w *Warehouse) Migrate(ctx context.Context) error {
	return w.migrate(ctx, migrations.Migrations())
}

func (w *Warehouse) migrate(ctx context.Context, files fs.FS) error {
	known, err := readMigrations(files)
	if err != nil {
		return err
	}
	if err := w.checkShards(ctx); err != nil {
		return err
	}
	for _, text := range w.statements(createMigrationTable) {
		if err := w.conn.Exec(ctx, text); err != nil {
			return unavailable("make the table of migrations", err)
		}
	}
	applied, err := w.appliedMigrations(ctx)
	if err != nil {
		return err
	}
	pending, err := pendingMigrations(known, applied)
	if err != nil {
		return err
	}
	for _, m := range pending {
		if err := w.apply(ctx, m); err != nil {
			return err
		}
		w.log.InfoContext(ctx, "migration applied", "migration", m.name)
	}
	return nil
}

func (w *Warehouse) apply(ctx context.Context, m migration) error {
	for i, statement := range m.statements {
		for _, text := range w.statements(statement) {
			if err := w.conn.Exec(ctx, text); err != nil {
				return unavailable(fmt.Sprintf("statement %d of migration %s", i+1, m.name), err)
			}
		}
	}
	record := w.conn.Exec(ctx, "INSERT INTO schema_migrations (number, name, sha256, applied_at) SELECT {number:UInt32}, {name:String}, {sha256:String}, fromUnixTimestamp64Milli({at:Int64}, 'Asia/Shanghai')",
		named("number", m.number), named("name", m.name), named("sha256", m.sha256), named("at", w.now().UnixMilli()))
	if record != nil {
		return unavailable("record migration "+m.name, record)
	}
	return nil
}

func (w *Warehouse) appliedMigrations(ctx context.Context) ([]migration, error) {
	rows, err := w.conn.Query(ctx, "SELECT number, name, sha256 FROM schema_migrations FINAL ORDER BY number")
	if err != nil {
		return nil, unavailable("read the applied migrations", err)
	}
	defer rows.Close()
	var applied []migration
	for rows.Next() {
		var m migration
		if err := rows.Scan(&m.number, &m.name, &m.sha256); err != nil {
			return nil, unavailable("read the applied migrations", err)
		}
		applied = append(applied, m)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("read the applied migrations", err)
	}
	return applied, nil
}

// pendingMigrations gives those of known that are not applied. What was applied must be the beginning of what is known:
// otherwise two databases with the same migrations could differ by the order in which they ran.
func pendingMigrations(known, applied []migration) ([]migration, error) {
	newest := known[len(known)-1]
	for i, m := range applied {
		switch {
		case m.number > newest.number:
			return nil, &schemas.Error{
				Code:    schemas.Conflict,
				Message: fmt.Sprintf("the database has schema %s, this version knows up to %s", m.name, newest.name),
				Hint:    "start the newer version of Milepost that wrote it; going back is not possible",
			}
		case i >= len(known) || m.number != known[i].number:
			return nil, &schemas.Error{
				Code:    schemas.Conflict,
				Message: fmt.Sprintf("the database's migration %s is not the one that this version has in its place", m.name),
				Hint:    "start the version of Milepost that wrote the database",
			}
		case m.sha256 != known[i].sha256:
			return nil, &schemas.Error{
				Code:    schemas.Conflict,
				Message: fmt.Sprintf("migration %s was applied with another text than this version's", m.name),
				Hint:    "applied migrations never change: start the version that wrote the database, or put the change into a new migration",
			}
		}
	}
	return known[len(applied):], nil
}

var migrationName = regexp.MustCompile(`^(\d{4})_[a-z0-9_]+\.sql$`)

// readMigrations reads the files in the order of their numbers.
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("migrations: no files (%w)", err)
	}
	list := make([]migration, 0, len(names))
	for _, name := range names { // sorted by name, and so by number
		match := migrationName.FindStringSubmatch(name)
		if match == nil {
			return nil, fmt.Errorf("migrations: file name %q is not NNNN_name.sql", name)
		}
		number, err := strconv.ParseUint(match[1], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("migrations: file %s: %w", name, err)
		}
		if len(list) > 0 && list[len(list)-1].number == uint32(number) {
			return nil, fmt.Errorf("migrations: %s and %s have the same number", list[len(list)-1].name, name)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("migrations: %w", err)
		}
		sum := sha256.Sum256(text)
		list = append(list, migration{
			number: uint32(number), name: name, sha256: hex.EncodeToString(sum[:]), statements: splitStatements(string(text)),
		})
	}
	return list, nil
}

// upToNumber is the migrations up to one number.
type upToNumber struct {
	fs.FS
	number uint32
}

// Glob leaves out the files with greater numbers; names that do not read stay, for the error that they deserve.
func (u upToNumber) Glob(pattern string) ([]string, error) {
	names, err := fs.Glob(u.FS, pattern)
	return slices.DeleteFunc(names, func(name string) bool {
		number, err := strconv.ParseUint(name[:min(4, len(name))], 10, 32)
		return err == nil && uint32(number) > u.number
	}), err
}
