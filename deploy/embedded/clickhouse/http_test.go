package clickhouse_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	chcompress "github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"milepost/deploy/embedded/clickhouse"
	"milepost/deploy/embedded/enginetest"
)

func TestStatementComesFromURLAndBody(t *testing.T) {
	t.Parallel()
	db := enginetest.ClickHouse(t)
	c := reader(t, db)
	equal(t, "body", c.must("SELECT 1"), "1\n")
	equal(t, "URL", c.do(http.MethodGet, nil, nil, "query", "SELECT 2").body, "2\n")
	equal(t, "both", c.must("FROM numbers(2)", "query", "SELECT number"), "0\n1\n")
	equal(t, "nothing", c.must(""), "Ok.\n")
	equal(t, "parameter", c.must("SELECT {a:Array(UInt8)}, {s:String}", "param_a", "[1,2]", "param_s", `x'y\tz`), "[1,2]\tx\\'y\\tz\n")
	equal(t, "database", c.must("SELECT currentDatabase()"), db.Database+"\n")
	equal(t, "format by parameter", c.must("SELECT 1 AS a", "default_format", "JSONEachRow"), "{\"a\":1}\n")
	header := http.Header{"X-Clickhouse-Format": {"CSV"}, "X-Clickhouse-Database": {"default"}}
	equal(t, "format by header", c.do(http.MethodPost, strings.NewReader("SELECT 'a'"), header).body, "\"a\"\n")

	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	_ = w.WriteField("query", "SELECT {a:UInt8} + 1")
	_ = w.WriteField("param_a", "41")
	_ = w.Close()
	equal(t, "form", c.do(http.MethodPost, &form, http.Header{"Content-Type": {w.FormDataContentType()}}).body, "42\n")

	for path, status := range map[string]int{"/ping": 200, "/replicas_status": 200, "/nowhere": 404} {
		response, err := http.Get(db.HTTP + path)
		if err != nil {
			t.Fatal(err)
		}
		body := readAll(t, response.Body)
		_ = response.Body.Close() // only read
		if response.StatusCode != status || status == 200 && body != "Ok.\n" {
			t.Errorf("%s: %d %q", path, response.StatusCode, body)
		}
	}
}

func TestHeadersTellOfTheResult(t *testing.T) {
	t.Parallel()
	c := reader(t, enginetest.ClickHouse(t))
	a := c.send("SELECT number FROM numbers(10)", "query_id", "my query", "default_format", "CSVWithNames")
	for name, want := range map[string]string{
		"X-ClickHouse-Query-Id": "my query", "X-ClickHouse-Format": "CSVWithNames", "X-ClickHouse-Timezone": "UTC",
		"X-ClickHouse-Server-Display-Name": "milepost", "Content-Type": "text/csv; charset=UTF-8; header=present",
	} {
		equal(t, name, a.header.Get(name), want)
	}
	var sum map[string]string
	if err := json.Unmarshal([]byte(a.header.Get("X-ClickHouse-Summary")), &sum); err != nil || sum["read_rows"] != "10" || sum["result_rows"] != "10" {
		t.Errorf("summary %v %v", sum, err)
	}
	equal(t, "zone", c.must("SELECT timezone(), serverTimezone(), toDateTime(0)"), "UTC\tUTC\t1970-01-01 00:00:00\n")
	equal(t, "zone asked for", c.must("SELECT toDateTime(0)", "session_timezone", "Asia/Shanghai"), "1970-01-01 08:00:00\n")
	equal(t, "type of JSON", c.send("SELECT 1 FORMAT JSON").header.Get("Content-Type"), "application/json; charset=UTF-8")
	equal(t, "type of NDJSON", c.send("SELECT 1 FORMAT JSONEachRow").header.Get("Content-Type"), "application/x-ndjson; charset=UTF-8")
	equal(t, "type of Native", c.send("SELECT 1 FORMAT Native").header.Get("Content-Type"), "application/octet-stream")
}

func TestFormatsAreWholeDocuments(t *testing.T) {
	t.Parallel()
	c := reader(t, enginetest.ClickHouse(t))
	// Enough rows for several blocks: every block must not become a document of its own.
	const rows = 200_000
	sql := fmt.Sprintf("SELECT number AS n, toString(number) AS s FROM numbers(%d)", rows)
	var document struct {
		Data []struct {
			N string `json:"n"`
			S string `json:"s"`
		} `json:"data"`
		Rows int `json:"rows"`
	}
	if err := json.Unmarshal([]byte(c.must(sql+" FORMAT JSON", "output_format_json_quote_64bit_integers", "1")), &document); err != nil {
		t.Fatal(err)
	}
	if document.Rows != rows || len(document.Data) != rows || document.Data[rows-1].S != fmt.Sprint(rows-1) {
		t.Errorf("JSON: %d rows, %d in data", document.Rows, len(document.Data))
	}
	if csv := c.must(sql + " FORMAT CSVWithNames"); strings.Count(csv, "\"n\"") != 1 || strings.Count(csv, "\n") != rows+1 {
		t.Errorf("CSVWithNames: %d lines, %d headers", strings.Count(csv, "\n"), strings.Count(csv, "\"n\""))
	}
	if parquet := c.must(sql + " FORMAT Parquet"); strings.Count(parquet, "PAR1") != 2 || !strings.HasSuffix(parquet, "PAR1") {
		t.Errorf("Parquet: %d marks", strings.Count(parquet, "PAR1"))
	}
	equal(t, "totals", c.must("SELECT number % 2 AS k, count() FROM numbers(10) GROUP BY k WITH TOTALS ORDER BY k"), "0\t5\n1\t5\n\n0\t10\n")
	equal(t, "an empty block of Native tells the columns", c.must("SELECT toUInt8(1) AS a, 'x' AS b WHERE 0 FORMAT Native"), "\x02\x00\x01a\x05UInt8\x01b\x06String")
	equal(t, "Null", c.must("SELECT 1 FORMAT Null"), "")
	equal(t, "comment behind", c.must("SELECT 1 -- INTO OUTFILE"), "1\n")
	equal(t, "settings behind", writer(t, enginetest.ClickHouse(t)).must("SELECT 1 AS a FORMAT JSONEachRow SETTINGS max_threads = 1;"), "{\"a\":1}\n")
}

func TestResponsesAreCompressed(t *testing.T) {
	t.Parallel()
	c := reader(t, enginetest.ClickHouse(t))
	sql := "SELECT number FROM numbers(100000)"
	want := c.must(sql)
	readers := map[string]func(io.Reader) (io.Reader, error){
		"gzip":    func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"deflate": func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) },
		"br":      func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		"zstd":    func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
		"lz4":     func(r io.Reader) (io.Reader, error) { return lz4.NewReader(r), nil },
	}
	for encoding, open := range readers {
		accept := http.Header{"Accept-Encoding": {"unknown;q=1, " + encoding}}
		a := c.do(http.MethodPost, strings.NewReader(sql), accept, "enable_http_compression", "1")
		equal(t, encoding, a.header.Get("Content-Encoding"), encoding)
		r, err := open(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, encoding, readAll(t, r), want)
		a = c.do(http.MethodPost, strings.NewReader("SELECT nothing"), accept, "enable_http_compression", "1")
		if a.header.Get("Content-Encoding") != "" || !strings.HasPrefix(a.body, "Code: 47.") {
			t.Errorf("%s: an exception is not plain: %q", encoding, a.body)
		}
	}
	equal(t, "not asked for", c.do(http.MethodPost, strings.NewReader(sql), http.Header{"Accept-Encoding": {"gzip"}}).body, want)
	for _, method := range []string{"", "LZ4", "ZSTD", "NONE"} {
		body := c.must(sql, "compress", "1", "network_compression_method", firstNotEmpty(method, "LZ4"))
		equal(t, "blocks "+method, readBlocks(t, body), want)
	}
}

func firstNotEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// readBlocks undoes block compression, up to the end.
func readBlocks(t *testing.T, body string) string {
	t.Helper()
	r := chcompress.NewReader(strings.NewReader(body))
	var b bytes.Buffer
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Read(buffer)
		b.Write(buffer[:n])
		if err != nil {
			if !strings.Contains(err.Error(), "EOF") {
				t.Fatal(err)
			}
			return b.String()
		}
	}
}

func TestInsertsInEveryWay(t *testing.T) {
	t.Parallel()
	c := writer(t, enginetest.ClickHouse(t))
	c.must("CREATE TABLE t (a UInt32, s String DEFAULT 'none') ENGINE = MergeTree ORDER BY a")
	c.must("INSERT INTO t VALUES (1, 'a'), (2, 'b;c')")
	c.must("INSERT INTO t (a) VALUES (3);")
	c.must("INSERT INTO t FORMAT JSONEachRow {\"a\": 4, \"s\": \"INSERT\"}")
	c.must("5,\"e\"\n", "query", "INSERT INTO t FORMAT CSV")
	c.must("(6, 'f')", "query", "INSERT INTO t VALUES")
	c.must("INSERT INTO t SELECT a + 6, s FROM t WHERE a = 1")
	c.must("INSERT INTO t SELECT {a:UInt32}, 'h'", "param_a", "8")
	equal(t, "rows", c.must("SELECT * FROM t ORDER BY a"), "1\ta\n2\tb;c\n3\tnone\n4\tINSERT\n5\te\n6\tf\n7\ta\n8\th\n")

	native := c.must("SELECT toUInt32(number + 100) AS a, 'n' AS s FROM numbers(100000) FORMAT Native")
	a := c.send(native, "query", "INSERT INTO t FORMAT Native")
	if a.status != 200 || !strings.Contains(a.header.Get("X-ClickHouse-Summary"), `"written_rows":"100000"`) {
		t.Errorf("Native: %d %s %s", a.status, a.body, a.header.Get("X-ClickHouse-Summary"))
	}
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	_, _ = gz.Write([]byte(native))
	_ = gz.Close()
	if a := c.do(http.MethodPost, &packed, http.Header{"Content-Encoding": {"gzip"}}, "query", "INSERT INTO t FORMAT Native"); a.status != 200 {
		t.Errorf("gzip: %d %s", a.status, a.body)
	}
	blocks := chcompress.NewWriter(chcompress.LevelZero, chcompress.LZ4)
	if err := blocks.Compress([]byte(native)); err != nil {
		t.Fatal(err)
	}
	c.must(string(blocks.Data), "query", "INSERT INTO t FORMAT Native", "decompress", "1")
	equal(t, "rows", c.must("SELECT count() FROM t WHERE a >= 100"), "300000\n")

	c.refuses("27", "INSERT INTO t FORMAT CSV x,y\n")
	c.refuses("60", "(1)", "query", "INSERT INTO nosuch VALUES")
	c.refuses("271", strings.Repeat("not compressed", 10), "query", "INSERT INTO t FORMAT CSV", "decompress", "1")
	if a := c.do(http.MethodGet, nil, nil, "query", "INSERT INTO t VALUES (9, 'x')"); a.header.Get("X-ClickHouse-Exception-Code") != "164" {
		t.Errorf("GET inserts: %d %s", a.status, a.body)
	}
	equal(t, "async_insert", c.must("SELECT getSetting('async_insert')"), "false\n")
}

func TestInsertWhoseClientGoesAwayInsertsNothing(t *testing.T) {
	t.Parallel()
	db := enginetest.ClickHouse(t)
	c := writer(t, db)
	c.must("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	conn, err := net.Dial("tcp", db.Server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := c.base.User.Password()
	query := url.Values{"query": {"INSERT INTO t FORMAT TSV"}, "database": {db.Database}, "user": {"writer"}, "password": {password}, "query_id": {"broken"}}
	_, _ = fmt.Fprintf(conn, "POST /?%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n1\n2\n3\n", query.Encode())
	inserting := func() string {
		return c.must("SELECT count() FROM system.processes WHERE current_database = currentDatabase() AND query LIKE 'INSERT INTO t %'")
	}
	await(t, func() bool { return inserting() == "1\n" })
	_ = conn.Close()
	await(t, func() bool { return inserting() == "0\n" })
	equal(t, "rows", c.must("SELECT count() FROM t"), "0\n")
}

// await asks until the condition holds; the test's own timeout bounds it.
func await(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatal("what was awaited did not happen")
		}
	}
}

func TestSettingsCountForTheirStatement(t *testing.T) {
	t.Parallel()
	c := writer(t, enginetest.ClickHouse(t))
	equal(t, "setting", c.must("SELECT getSetting('max_block_size')", "max_block_size", "1234"), "1234\n")
	if after := c.must("SELECT getSetting('max_block_size')"); after == "1234\n" {
		t.Error("a setting of one statement counts for the next")
	}
	c.must("SET max_block_size = 4321")
	if after := c.must("SELECT getSetting('max_block_size')"); after == "4321\n" {
		t.Error("a SET outside of a session counts for the next statement")
	}
	c.refuses("115", "SELECT 1", "no_such_setting", "1")
	c.refuses("81", "SELECT 1", "database", "no_such_database")
	c.refuses("73", "SELECT 1", "default_format", "NoSuchFormat")
}

func TestExceptionsCarryCodeAndStatus(t *testing.T) {
	t.Parallel()
	c := reader(t, enginetest.ClickHouse(t))
	for sql, want := range map[string][2]string{
		"SELECT * FROM nosuch": {"60", "404"}, "SELECT nosuch": {"47", "404"}, "SELECT nosuch()": {"46", "404"},
		"SELEC 1": {"164", "500"}, "SELECT 1 +": {"62", "400"}, "SELECT toUInt8('x')": {"6", "400"}, "SELECT throwIf(1)": {"395", "500"},
		"SELECT 1 FORMAT Nosuch": {"73", "404"}, "SELECT {a:UInt8}": {"456", "500"},
	} {
		if a := c.refuses(want[0], sql); fmt.Sprint(a.status) != want[1] {
			t.Errorf("%s: status %d, expected %s", sql, a.status, want[1])
		}
	}
	// What a failed statement had computed must not come out with the next one.
	c.refuses("395", "SELECT throwIf(number = 100000) FROM numbers(200000)", "wait_end_of_query", "1")
	equal(t, "after a failure", c.must("SELECT 'clean'"), "clean\n")
	equal(t, "after a failure", c.must("SHOW TABLES"), "")
}

func TestErrorCodesAreTheEngines(t *testing.T) {
	t.Parallel()
	c := reader(t, enginetest.ClickHouse(t))
	for code, name := range clickhouse.CodeNames() {
		equal(t, name, c.must(fmt.Sprintf("SELECT errorCodeToName(%d)", code)), name+"\n")
	}
}

func TestExceptionInMidStreamIsNoticed(t *testing.T) {
	t.Parallel()
	c := reader(t, enginetest.ClickHouse(t))
	const sql = "SELECT number, throwIf(number = 900000) FROM numbers(1000000)"
	a := c.send(sql, "buffer_size", "1000")
	if a.status != 200 || a.err == nil {
		t.Fatalf("status %d, error %v", a.status, a.err)
	}
	tag := a.header.Get("X-ClickHouse-Exception-Tag")
	if !strings.HasSuffix(a.body, tag+"\r\n__exception__\r\n") || !strings.Contains(a.body, "\r\n__exception__\r\n"+tag+"\r\nCode: 395. DB::Exception: ") {
		t.Errorf("the body ends with %q", cut(a.body))
	}
	c.refuses("395", sql, "wait_end_of_query", "1", "buffer_size", "1000") // spilled to a file, then thrown away
	want := c.must("SELECT number FROM numbers(500000)")
	equal(t, "spilled", c.must("SELECT number FROM numbers(500000)", "wait_end_of_query", "1", "buffer_size", "1000"), want)
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	db := enginetest.ClickHouse(t)
	w := writer(t, db)
	password, _ := w.base.User.Password()
	r := reader(t, db)
	create := "CREATE TABLE IF NOT EXISTS t (a Int8) ENGINE = Memory"
	for name, header := range map[string]http.Header{
		"headers": {"X-Clickhouse-User": {"writer"}, "X-Clickhouse-Key": {password}},
		"basic":   {"Authorization": {"Basic " + basic("writer", password)}},
	} {
		if a := r.do(http.MethodPost, strings.NewReader(create), header); a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	r.must(create, "user", "writer", "password", password)
	equal(t, "named reader", r.must("SELECT 1", "user", "default"), "1\n")
	for _, wrong := range [][]string{{"writer", "wrong"}, {"writer", ""}, {"nobody", ""}} {
		if a := r.refuses("516", "SELECT 1", "user", wrong[0], "password", wrong[1]); a.status != http.StatusForbidden || strings.Contains(a.body, password) {
			t.Errorf("%v: %d %s", wrong, a.status, a.body)
		}
	}
	r.refuses("164", create)
}

// TestOtherNamesAreNotAnswered asks as a browser does for a page whose name was made to point at this machine.
func TestOtherNamesAreNotAnswered(t *testing.T) {
	t.Parallel()
	db := enginetest.ClickHouse(t)
	_, port, err := net.SplitHostPort(db.Server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	w, err := url.Parse(db.DSN)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(host string, user *url.Userinfo) (int, string) {
		request, err := http.NewRequest(http.MethodGet, db.HTTP+"/?query=SELECT+1", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		if user != nil {
			password, _ := user.Password()
			request.SetBasicAuth(user.Username(), password)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }() // only read
		return response.StatusCode, readAll(t, response.Body)
	}
	for _, host := range []string{"localhost", "localhost:" + port, "LOCALHOST", "127.0.0.1", "127.0.0.1:" + port, "127.0.0.2:1", "[::1]", "[::1]:" + port} {
		if status, body := ask(host, nil); status != http.StatusOK || body != "1\n" {
			t.Errorf("%s: %d %s", host, status, body)
		}
	}
	for _, host := range []string{"evil.example", "evil.example:" + port, "localhost.evil.example", "127.0.0.1.evil.example:" + port, "10.0.0.7:" + port, "[2001:db8::1]", "0.0.0.0"} {
		if status, body := ask(host, nil); status != http.StatusForbidden || !strings.Contains(body, "hint") {
			t.Errorf("%s: %d %s", host, status, body)
		}
		if status, _ := ask(host, w.User); status != http.StatusOK {
			t.Errorf("%s with the writer's password: %d", host, status)
		}
	}
}

func basic(user, password string) string {
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth(user, password)
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")
}

func TestClientThatGoesAwayEndsItsStatement(t *testing.T) {
	t.Parallel()
	db := enginetest.ClickHouse(t)
	c := reader(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	var gone sync.WaitGroup
	gone.Go(func() {
		u := *c.base
		u.RawQuery += "&query_id=endless&log_comment=endless"
		request, _ := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader("SELECT sum(sipHash64(a.number, b.number)) FROM numbers(1000000) AS a CROSS JOIN numbers(1000000) AS b"))
		if response, err := http.DefaultClient.Do(request); err == nil {
			t.Errorf("status %s", response.Status)
			_ = response.Body.Close()
		}
	})
	w := writer(t, db)
	await(t, func() bool {
		return w.must("SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE '% endless'") == "1\n"
	})
	c.refuses("216", "SELECT 1", "query_id", "endless")
	cancel()
	gone.Wait()
	await(t, func() bool {
		return w.must("SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE '% endless'") == "0\n"
	})
	await(t, func() bool { return c.send("SELECT 1", "query_id", "endless").status == 200 })
}

func TestRetryRunsTheStatementOnceMore(t *testing.T) {
	db := enginetest.ClickHouse(t)
	w, c := writer(t, db), reader(t, db)
	w.must("CREATE TABLE made (a Int8) ENGINE = MergeTree ORDER BY a")
	w.must("CREATE VIEW v AS SELECT throwIf(count() = 0, 'milepost: not made') AS missing FROM made")
	asked := 0
	enginetest.OnRetry(t, func(_ context.Context, exception string) bool {
		asked++
		if !strings.Contains(exception, "milepost: not made") {
			return false
		}
		w.must("INSERT INTO made VALUES (1)")
		return true
	})
	equal(t, "view", c.must("SELECT missing FROM v"), "0\n")
	c.refuses("60", "SELECT * FROM nosuch")
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	enginetest.OnRetry(t, func(context.Context, string) bool { return true })
	c.refuses("395", "SELECT throwIf(1)")
	enginetest.OnRetry(t, func(context.Context, string) bool { panic("the host's fault") })
	if _, err := http.Post(c.base.String(), "", strings.NewReader("SELECT throwIf(1)")); err == nil {
		t.Error("a panic in Retry went unnoticed")
	}
	equal(t, "after a panic", c.must("SELECT 1"), "1\n")
}
