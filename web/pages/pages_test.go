package pages

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"milepost/schemas"
)

func TestInitials(t *testing.T) {
	t.Parallel()
	text := newSearchText([]schemas.Standing{{ProjectID: "P-1", Name: "焦作市年产5万吨LNG储罐", Enterprise: "云台山(集团)é"}, {ProjectID: "x"}})
	if got := string(text.text); got != "p-1\x00jzsnc5wdlngcg yts(jt)\x00x\x00 \x00" || !slices.Equal(text.ends, []int{26, 30}) {
		t.Errorf("%q %v", got, text.ends)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	days, back := 3, -2
	for got, want := range map[string]string{
		wan(schemas.MoneyFromWan(1234567)): "1,234,567", wan(123450): "1,234.5", wan(0): "0", wan(99900): "999", yi(schemas.MoneyFromWan(12345)): "1.23 亿元",
		lateness(&days): "晚 3 天", lateness(&back): "提前 2 天", lateness(nil): unknown, movement(&days): "▲ 3", movement(&back): "▼ 2",
		actorName("office:abcd2345"): "县(市)区 abcd2345", actorName("http:127.0.0.1"): "未登记用户（127.0.0.1）", actorName(""): unknown,
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A login leads to this server only.
func TestOwnPath(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"/ledger?q=a": "/ledger?q=a", "": "/", "https://elsewhere.example": "/", "//elsewhere.example": "/", "/\\elsewhere.example": "/", "/a\nb": "/", "javascript:alert(1)": "/",
	} {
		if got := ownPath(given); got != want {
			t.Errorf("%q leads to %q, want %q", given, got, want)
		}
	}
}

func TestNumbersOfAForm(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]any{"1,234.5": "1234.5", " 12 ": "12", "\uff0c7": "7", "abc": "abc"} {
		if got := plainNumber(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
	for _, text := range []string{"true", "null", `"x"`, "[1]", "1e", "abc"} {
		if got := number(text); got != text {
			t.Errorf("%s is taken for the number %v", text, got)
		}
	}
}

// A shelf makes a value once for all who ask, forgets the longest unused, and
// does not keep what failed.
func TestShelf(t *testing.T) {
	t.Parallel()
	var made atomic.Int32
	fail := errors.New("no")
	broken := atomic.Bool{}
	s := newShelf(2, func(_ context.Context, key int) (int, error) {
		made.Add(1)
		if broken.Load() {
			return 0, fail
		}
		return key * 10, nil
	})
	get := func(key int) {
		t.Helper()
		if value, err := s.get(t.Context(), key); err != nil || value != key*10 {
			t.Errorf("%d: %d %v", key, value, err)
		}
	}
	get(1)
	get(2)
	get(1)
	get(3) // 2 goes
	if n := made.Load(); n != 3 {
		t.Errorf("made %d times", n)
	}
	get(1)
	get(2)
	if n := made.Load(); n != 4 {
		t.Errorf("made %d times", n)
	}
	broken.Store(true)
	if _, err := s.get(t.Context(), 4); !errors.Is(err, fail) {
		t.Error(err)
	}
	broken.Store(false)
	get(4)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	hanging := newShelf(1, func(ctx context.Context, _ int) (int, error) { <-t.Context().Done(); return 0, ctx.Err() })
	if _, err := hanging.get(ended, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A shelf of heavy values keeps what it bears, one that is too heavy alone, and
// nothing that nobody asks for.
func TestHeavyShelf(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 11, 3, 9, 0, 0, 0, time.UTC)
	made := map[int]int{}
	s := newHeavyShelf(4, &load[int]{most: 100, weigh: func(weight int) int { return weight }, turns: make(chan struct{}, 1), time: time.Minute, idle: time.Minute}, func() time.Time { return now },
		func(_ context.Context, key int) (int, error) { made[key]++; return key, nil })
	get := func(keys ...int) {
		t.Helper()
		for _, key := range keys {
			if value, err := s.get(t.Context(), key); err != nil || value != key {
				t.Errorf("%d: %d %v", key, value, err)
			}
		}
	}
	kept := func(want ...int) {
		t.Helper()
		if !slices.Equal(s.order, want) || len(s.kept) != len(want) {
			t.Errorf("%v are kept, want %v", s.order, want)
		}
	}
	get(60, 40, 60, 1) // 40 goes
	kept(60, 1)
	get(101)
	kept(101)
	get(101, 2)
	kept(2)
	s.offer(101, 101)
	s.offer(98, 98)
	kept(2, 98)
	s.offer(3, 3)
	kept(3)
	s.remove(98)
	get(10, 11, 12, 13)
	kept(10, 11, 12, 13)
	now = now.Add(time.Minute)
	get(11)
	now = now.Add(time.Second)
	s.forgetIdle()
	kept(11)
	if made[60] != 1 || made[101] != 1 || made[98] != 0 {
		t.Errorf("made: %v", made)
	}
}

// What is not begun and nobody waits for is not made.
func TestHeavyShelfTakesTurns(t *testing.T) {
	t.Parallel()
	begun, goOn := make(chan int), make(chan struct{})
	s := newHeavyShelf(4, &load[int]{most: 100, weigh: func(int) int { return 1 }, turns: make(chan struct{}, 1), time: time.Minute}, time.Now, func(_ context.Context, key int) (int, error) {
		begun <- key
		<-goOn
		return key, nil
	})
	ask := func(ctx context.Context, key int) chan error {
		asked := make(chan error, 1)
		go func() {
			_, err := s.get(ctx, key)
			asked <- err
		}()
		return asked
	}
	first := ask(t.Context(), 1)
	if key := <-begun; key != 1 {
		t.Fatalf("%d is made", key)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := <-ask(gone, 2); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	third := ask(t.Context(), 3)
	goOn <- struct{}{}
	if err := <-first; err != nil {
		t.Error(err)
	}
	if key := <-begun; key != 3 {
		t.Errorf("%d is made", key)
	}
	goOn <- struct{}{}
	if err := <-third; err != nil {
		t.Error(err)
	}
}

// A form that was sent is remembered; the memory has an end.
func TestUsedForms(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 11, 3, 9, 0, 0, 0, time.UTC)
	u := newUsedForms(func() time.Time { return now })
	one, first := u.begin("a")
	again, second := u.begin("a")
	if !first || second || one != again {
		t.Error("the same form is new again")
	}
	for i := range 3 * maxForms {
		u.begin(strings.Repeat("x", i%7) + time.Duration(i).String())
	}
	if len(u.sent) > maxForms {
		t.Errorf("%d forms are remembered", len(u.sent))
	}
}

// Names of projects are text in a drawing, too.
func TestDrawingsEscape(t *testing.T) {
	t.Parallel()
	text := string(stacked(`a"><script>`, []share{{Class: "green", Count: 1}, {Class: "red", Count: 3}}))
	if strings.Contains(text, "<script>") || !strings.Contains(text, `class="red" x="250.00" y="0.00" width="750.00"`) {
		t.Error(text)
	}
	for _, width := range []float64{chartWidth, phoneWidth} {
		drawn := string(timeline(&schemas.Standing{RegisteredOn: schemas.NewDate(2025, 1, 1)}, schemas.NewDate(2025, 1, 1), width)) +
			string(curve([]point{{1, 0}, {12, 500}}, 0, 1, width))
		if strings.Contains(drawn, "NaN") || strings.Contains(drawn, "Inf") || !strings.Contains(drawn, fmt.Sprintf(`viewBox="0 0 %d `, int(width))) {
			t.Error(drawn)
		}
	}
}
