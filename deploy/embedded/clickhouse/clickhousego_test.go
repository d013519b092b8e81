package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	chgo "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"milepost/deploy/embedded/enginetest"
)

func dial(t testing.TB, dsn string, change func(*chgo.Options)) chgo.Conn {
	t.Helper()
	options, err := chgo.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(options)
	}
	conn, err := chgo.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // closes idle connections only
	return conn
}

type row struct {
	ID       uint64             `ch:"id"`
	Name     string             `ch:"name"`
	Kind     string             `ch:"kind"`
	Tags     []string           `ch:"tags"`
	Amount   decimal.Decimal    `ch:"amount"`
	On       time.Time          `ch:"on"`
	At       time.Time          `ch:"at"`
	Note     *string            `ch:"note"`
	Plan     map[string]float64 `ch:"plan"`
	Fixed    string             `ch:"fixed"`
	Flag     bool               `ch:"flag"`
	Pair     []any              `ch:"pair"`
	Integers [][]int32          `ch:"integers"`
}

const rowTable = `CREATE TABLE rows (id UInt64, name String, kind LowCardinality(String), tags Array(String), amount Decimal(18, 2), on Date,
	at DateTime64(3, 'Asia/Shanghai'), note Nullable(String), plan Map(String, Float64), fixed FixedString(4), flag Bool, pair Tuple(UInt8, String),
	integers Array(Array(Int32))) ENGINE = MergeTree ORDER BY id`

func TestClickHouseGoRoundTrip(t *testing.T) {
	t.Parallel()
	methods := map[string]chgo.CompressionMethod{
		"none": chgo.CompressionNone, "lz4": chgo.CompressionLZ4, "zstd": chgo.CompressionZSTD, "gzip": chgo.CompressionGZIP,
		"deflate": chgo.CompressionDeflate, "br": chgo.CompressionBrotli,
	}
	for name, method := range methods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := enginetest.ClickHouse(t)
			conn := dial(t, db.DSN, func(o *chgo.Options) {
				o.Compression = &chgo.Compression{Method: method, Level: 3}
				o.Settings = chgo.Settings{"enable_http_compression": 1}
			})
			roundTrip(t, conn)
		})
	}
}

func roundTrip(t *testing.T, conn chgo.Conn) {
	ctx := t.Context()
	if err := conn.Exec(ctx, rowTable); err != nil {
		t.Fatal(err)
	}
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	note := "形象进度"
	var want []row
	for i := range 1000 {
		r := row{
			ID: uint64(i), Name: fmt.Sprintf("企业%d有限公司", i), Kind: []string{"landed", "started"}[i%2], Tags: []string{"a", fmt.Sprint(i)},
			Amount: decimal.New(int64(i)*101, -2), On: time.Date(2025, 10, 1+i%28, 0, 0, 0, 0, time.UTC), At: time.Date(2025, 10, 31, 23, 59, 59, 123e6, shanghai),
			Plan: map[string]float64{"2025": float64(i) / 4}, Fixed: "abcd", Flag: i%3 == 0, Pair: []any{uint8(i), "x"}, Integers: [][]int32{{int32(i)}, {}},
		}
		if i%2 == 0 {
			r.Note = &note
		}
		want = append(want, r)
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO rows")
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if err := batch.AppendStruct(&want[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	var got []row
	if err := conn.Select(ctx, &got, "SELECT * FROM rows ORDER BY id"); err != nil {
		t.Fatal(err)
	}
	decimals := cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) })
	times := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
	if diff := cmp.Diff(want, got, decimals, times); diff != "" {
		t.Error(cut(diff))
	}
}

func TestClickHouseGoSpeaksToReaders(t *testing.T) {
	t.Parallel()
	db := enginetest.ClickHouse(t)
	conn := dial(t, db.ReaderDSN, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // becomes max_execution_time above the limit
	defer cancel()
	if err := conn.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	version, err := conn.ServerVersion()
	if err != nil || version.DisplayName != "milepost" || version.Version.Major < 26 {
		t.Errorf("%v %v", version, err)
	}
	var n uint64
	var s string
	row := conn.QueryRow(ctx, "SELECT toUInt64({n:UInt64} + ?), {s:String}", chgo.Named("n", 40), 2, chgo.Named("s", "it's\t\\n"))
	if err := row.Scan(&n, &s); err == nil {
		t.Log("mixed binds are allowed")
	}
	bound := chgo.Context(ctx, chgo.WithParameters(chgo.Parameters{"n": "40", "s": "plain"}), chgo.WithSettings(chgo.Settings{"max_block_size": 100}))
	if err := conn.QueryRow(bound, "SELECT toUInt64({n:UInt64} + 2), {s:String}").Scan(&n, &s); err != nil || n != 42 || s != "plain" {
		t.Errorf("%d %q %v", n, s, err)
	}
	rows, err := conn.Query(ctx, "SELECT number FROM numbers(100000)")
	if err != nil {
		t.Fatal(err)
	}
	var sum, v uint64
	for rows.Next() {
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	if err := rows.Err(); err != nil || sum != 4999950000 {
		t.Errorf("sum %d, %v", sum, err)
	}
	empty, err := conn.Query(ctx, "SELECT toUInt8(1) AS a, 'x' AS b WHERE 0")
	if err != nil || !cmp.Equal(empty.Columns(), []string{"a", "b"}) || empty.Next() {
		t.Errorf("an empty result: %v", err)
	}
	for sql, code := range map[string]int32{"SELECT * FROM nosuch": 60, "SELECT 1 INTO OUTFILE '/tmp/x'": 164, "INSERT INTO t VALUES (1)": 164} {
		var exception *chgo.Exception
		if err := conn.Exec(ctx, sql); !errors.As(err, &exception) || exception.Code != code {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestClickHouseGoSeesExceptionInMidStream(t *testing.T) {
	t.Parallel()
	conn := dial(t, enginetest.ClickHouse(t).ReaderDSN, nil)
	rows, err := conn.Query(t.Context(), "SELECT number, throwIf(number = 900000) FROM numbers(1000000)")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
	}
	var exception *chgo.Exception
	if !errors.As(rows.Err(), &exception) || exception.Code != 395 {
		t.Errorf("%v", rows.Err())
	}
}
