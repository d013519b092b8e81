package deploy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"milepost/deploy/embedded/clickhouse"
	"milepost/schemas"
)

// analyst runs read-only statements over the ClickHouse HTTP interface. The
// embedded engine holds its readers by itself; on a real server the statement
// is checked here and sent with the same limits.
type analyst struct {
	endpoint *url.URL
	user     *url.Userinfo
	database string
	embedded bool
	// retry makes what a view found missing.
	retry func(ctx context.Context, exception string) bool
}

// newAnalyst takes the DSN of the warehouse. A clickhouse:// address is asked
// on the standard HTTP port of the same host.
func newAnalyst(dsn string, embedded bool, retry func(context.Context, string) bool) (*analyst, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, usageError("--clickhouse", "an address that does not parse", "not a server address", "write http://host:port")
	}
	endpoint := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	if u.Scheme == "clickhouse" || u.Scheme == "tcp" {
		endpoint.Scheme, endpoint.Host = "http", u.Hostname()+":8123"
	}
	return &analyst{endpoint: endpoint, user: u.User, database: strings.Trim(u.Path, "/"), embedded: embedded, retry: retry}, nil
}

// readerSettings bound a reader's statement on a real server.
func readerSettings() url.Values {
	return url.Values{
		"readonly": {"1"}, "max_memory_usage": {"1073741824"}, "max_execution_time": {"30"}, "max_result_rows": {"1000000"},
		"max_result_bytes": {"268435456"}, "result_overflow_mode": {"throw"}, "wait_end_of_query": {"0"},
	}
}

// maxMissing bounds how many missing ledgers and models are made for one
// statement.
const maxMissing = 8

// Query writes the result of one statement to w.
func (a *analyst) Query(ctx context.Context, w io.Writer, sql, format string) error {
	if err := clickhouse.CheckReader(sql); err != nil {
		return &schemas.Error{Code: schemas.Forbidden, Field: "query", Message: err.Error(), Hint: "send one SELECT over the documented views"}
	}
	for attempt := 0; ; attempt++ {
		response, err := a.send(ctx, sql, format)
		if err != nil {
			return err
		}
		if response.StatusCode == http.StatusOK {
			defer response.Body.Close()
			if _, err := io.Copy(w, response.Body); err != nil {
				return fmt.Errorf("the result was cut off: %w", err)
			}
			return nil
		}
		text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
		response.Body.Close()
		if err != nil {
			return err
		}
		exception := strings.TrimSpace(string(text))
		if attempt < maxMissing && !a.embedded && a.retry(ctx, exception) {
			continue
		}
		return &schemas.Error{Code: schemas.Invalid, Field: "query", Message: exception, Hint: "the tables and views are listed by SHOW TABLES, their columns by DESCRIBE"}
	}
}

func (a *analyst) send(ctx context.Context, sql, format string) (*http.Response, error) {
	values := url.Values{}
	if !a.embedded {
		values = readerSettings()
	}
	values.Set("default_format", format)
	if a.database != "" {
		values.Set("database", a.database)
	}
	target := *a.endpoint
	target.RawQuery = values.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(sql))
	if err != nil {
		return nil, err
	}
	if a.user != nil {
		password, _ := a.user.Password()
		request.SetBasicAuth(a.user.Username(), password)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "ClickHouse does not answer", Hint: "check that it runs", Err: err}
	}
	return response, nil
}

// analystDSN is how analysts' statements reach ClickHouse: the embedded engine
// holds its readers by itself, a real server is asked as the warehouse is.
func (a *App) analystDSN() string {
	if a.embeddedClickHouse != nil {
		return a.embeddedClickHouse.ReaderDSN()
	}
	return a.clickhouseDSN
}
