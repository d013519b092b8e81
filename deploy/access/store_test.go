package access_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"milepost/deploy/access"
	"milepost/schemas"
)

func TestTokensAreKnownToEveryProcess(t *testing.T) {
	t.Parallel()
	js, c := stream(t), newClock()
	one, other := openStore(t, js, c), openStore(t, js, c)
	if one.Used() || other.Used() {
		t.Fatal("tokens before the first")
	}
	token, text := create(t, one, access.Wish{Role: schemas.RoleOffice, Districts: []string{"shanyang"}, Expires: "90d"})
	if !strings.HasPrefix(text, "mp_"+token.ID+"_") || token.Expires == nil || token.Expires.Sub(c.now()) != 90*24*time.Hour {
		t.Errorf("%s: %+v", text, token)
	}
	// The other process hears of it by itself; the test only waits.
	eventually(t, func() bool { found, err := other.Find(text); return err == nil && found.ID == token.ID })
	if _, err := other.Revoke(t.Context(), token.ID, "admin:b"); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	eventually(t, func() bool { _, err := one.Find(text); return err != nil })
	if took := time.Since(started); took > time.Second {
		t.Logf("a revocation took %s", took)
	}
	if !one.Used() {
		t.Error("a server forgot that it had tokens")
	}
	if list := one.List(); len(list) != 1 || list[0].State(c.now()) != "revoked" || list[0].RevokedBy != "admin:b" {
		t.Errorf("%+v", list)
	}
	again, err := one.Revoke(t.Context(), token.ID, "admin:c")
	if err != nil || again.RevokedBy != "admin:b" {
		t.Errorf("revoked again: %+v %v", again, err)
	}
}

// eventually waits for what another goroutine does; it fails after long.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("it never came")
		}
	}
}

func TestBadTokens(t *testing.T) {
	t.Parallel()
	js, c := stream(t), newClock()
	s := openStore(t, js, c)
	valid, text := create(t, s, access.Wish{Role: schemas.RoleAnalyst})
	_, short := create(t, s, access.Wish{Role: schemas.RoleAnalyst, Expires: "1h"})
	revoked, gone := create(t, s, access.Wish{Role: schemas.RoleAdmin})
	if _, err := s.Revoke(t.Context(), revoked.ID, "x"); err != nil {
		t.Fatal(err)
	}
	c.move(time.Hour)
	if _, err := s.Find(text); err != nil {
		t.Fatal(err)
	}
	flipped := []byte(text)
	flipped[len(flipped)-1] ^= 1
	for _, bad := range []struct{ name, text, says string }{
		{"nothing", "", "no such token"},
		{"only the prefix", "mp_", "no such token"},
		{"no secret", "mp_" + valid.ID + "_", "no such token"},
		{"a wrong secret", string(flipped), "no such token"},
		{"cut", text[:len(text)-1], "no such token"},
		{"longer", text + "a", "no such token"},
		{"upper case", strings.ToUpper(text), "no such token"},
		{"another's secret", "mp_" + revoked.ID + text[11:], "no such token"},
		{"an unknown id", "mp_aaaaaaaa" + text[11:], "no such token"},
		{"the operator's name", "mp_operator" + text[11:], "no such token"},
		{"a wildcard", "mp_>>>>>>>>" + text[11:], "no such token"},
		{"expired", short, "the token expired on 2026-01-05 10:00:00"},
		{"revoked", gone, "the token was revoked on 2026-01-05 09:00:00"},
	} {
		_, err := s.Find(bad.text)
		if schemas.CodeOf(err) != schemas.Unauthenticated || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: %v", bad.name, err)
		}
		if len(bad.text) > 20 && strings.Contains(err.Error(), bad.text[12:]) {
			t.Errorf("%s: the error holds the secret", bad.name)
		}
	}
}

func TestNoSecretIsStored(t *testing.T) {
	t.Parallel()
	js, c := stream(t), newClock()
	s := openStore(t, js, c)
	token, text := create(t, s, access.Wish{Role: schemas.RoleAdmin})
	bucket, err := js.KeyValue(t.Context(), access.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := bucket.Get(t.Context(), token.ID)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := json.Marshal(s.List())
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{string(entry.Value()), string(listed)} {
		if strings.Contains(place, text[12:]) {
			t.Errorf("the secret stands in %s", place)
		}
	}
	if strings.Contains(string(listed), "hash") {
		t.Errorf("the list shows hashes: %s", listed)
	}
}

func TestDamagedTokenOpensNothing(t *testing.T) {
	t.Parallel()
	js, c := stream(t), newClock()
	s := openStore(t, js, c)
	token, text := create(t, s, access.Wish{Role: schemas.RoleAdmin})
	bucket, err := js.KeyValue(t.Context(), access.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{"{", `{"id":"` + token.ID + `","role":"admin"}`, `{"id":"` + token.ID + `","hash":""}`} {
		if _, err := bucket.Put(t.Context(), token.ID, []byte(damage)); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { _, err := s.Find(text); return err != nil })
		if _, err := s.Find("mp_" + token.ID + "_" + strings.Repeat("a", 52)); err == nil || !s.Used() {
			t.Errorf("%s: open", damage)
		}
	}
	if err := bucket.Delete(t.Context(), token.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { _, err := s.Find(text); return err != nil })
	if !s.Used() {
		t.Error("a token that somebody removed opened the server")
	}
}

func TestBadWishes(t *testing.T) {
	t.Parallel()
	s := openStore(t, stream(t), newClock())
	for _, c := range []struct {
		name, field string
		wish        access.Wish
	}{
		{"no role", "role", access.Wish{}},
		{"an unknown role", "role", access.Wish{Role: "root"}},
		{"an office without a district", "districts", access.Wish{Role: schemas.RoleOffice}},
		{"an unknown district", "districts", access.Wish{Role: schemas.RoleOffice, Districts: []string{"atlantis"}}},
		{"a district of wildcards", "districts", access.Wish{Role: schemas.RoleOffice, Districts: []string{">"}}},
		{"a department without one", "departments", access.Wish{Role: schemas.RoleDepartment, SourcePrefix: "/departments/x"}},
		{"a department without a source", "source_prefix", access.Wish{Role: schemas.RoleDepartment, Departments: []string{"甲局"}}},
		{"a bound analyst", "role", access.Wish{Role: schemas.RoleAnalyst, Districts: []string{"shanyang"}}},
		{"a source that climbs", "source_prefix", access.Wish{Role: schemas.RoleOffice, Districts: []string{"shanyang"}, SourcePrefix: "/offices/../x"}},
		{"a source with a slash at the end", "source_prefix", access.Wish{Role: schemas.RoleOffice, Districts: []string{"shanyang"}, SourcePrefix: "/offices/"}},
		{"a name with a line break", "name", access.Wish{Role: schemas.RoleAdmin, Name: "a\r\nSet-Cookie: x"}},
		{"a long name", "name", access.Wish{Role: schemas.RoleAdmin, Name: strings.Repeat("甲", 101)}},
		{"an unknown type", "types", access.Wish{Role: schemas.RoleOffice, Districts: []string{"shanyang"}, Types: []schemas.Type{"x.v1"}}},
		{"a type of the system", "types", access.Wish{Role: schemas.RoleOffice, Districts: []string{"city"}, Types: []schemas.Type{schemas.BulletinPublished}}},
		{"no time", "expires", access.Wish{Role: schemas.RoleAdmin, Expires: "soon"}},
		{"a time gone by", "expires", access.Wish{Role: schemas.RoleAdmin, Expires: "-1h"}},
		{"a time too far", "expires", access.Wish{Role: schemas.RoleAdmin, Expires: "99999d"}},
	} {
		_, _, err := s.Create(t.Context(), c.wish, "x", []string{"shanyang"})
		if err == nil || !strings.Contains(err.Error(), c.field+":") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if s.Used() {
		t.Error("a bad wish made a token")
	}
	for _, id := range []string{"", "nosuchid", "../../x", "aaaaaaaa", strings.Repeat("a", 9999), ">"} {
		if _, err := s.Revoke(t.Context(), id, "x"); schemas.CodeOf(err) != schemas.NotFound {
			t.Errorf("revoke %.20q: %v", id, err)
		}
	}
}
