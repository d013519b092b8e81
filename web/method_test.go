package web_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"milepost/schemas"
	"milepost/web"
)

// The rules of a day, and the days in which they hold.
func TestMethodOfADay(t *testing.T) {
	t.Parallel()
	early, late := schemas.DefaultRules(), schemas.DefaultRules()
	late.ReportDay = 8
	book, err := schemas.NewRuleBook([]schemas.DatedRules{{Rules: early}, {From: schemas.NewDate(2026, 1, 1), Rules: late}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC) } // 1 January in Shanghai
	handler := web.NewMethod(book, now)
	for query, want := range map[string]struct {
		on, from, to string
		reportDay    int
	}{
		"":               {"2026-01-01", "2026-01-01", "", 8},
		"?on=2025-12-31": {"2025-12-31", "", "2025-12-31", 10},
		"?on=2030-06-01": {"2030-06-01", "2026-01-01", "", 8},
	} {
		_, _, body := ask(t, handler, "/v1/method"+query)
		var got struct {
			On    string  `json:"on"`
			From  *string `json:"valid_from"`
			To    *string `json:"valid_to"`
			Hash  string  `json:"hash"`
			Rules struct {
				ReportDay int `json:"report_day"`
			}
			Assessment struct{ Excellent int }
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		text := func(s *string) string {
			if s == nil {
				return ""
			}
			return *s
		}
		hash, err := book.On(mustDate(t, want.on)).Hash()
		if err != nil {
			t.Fatal(err)
		}
		if got.On != want.on || text(got.From) != want.from || text(got.To) != want.to || got.Rules.ReportDay != want.reportDay || got.Hash != hash || got.Assessment.Excellent != 90 {
			t.Errorf("%s: %s", query, body)
		}
	}
	if status, mediaType, _ := ask(t, handler, "/v1/method?on=2025-02-30"); status != http.StatusUnprocessableEntity || mediaType != "application/problem+json" {
		t.Errorf("no day: %d %s", status, mediaType)
	}
}

func mustDate(t *testing.T, text string) schemas.Date {
	t.Helper()
	day, err := schemas.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return day
}
