package schemas

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"
)

// sent makes an event of an office as it would be decoded.
func sent(typ Type, district string, data Data) *Event {
	return &Event{Source: SourceOf(district), ID: "e-1", Type: typ, Subject: "P-0001", District: district, Data: data}
}

func TestPrincipalAdmits(t *testing.T) {
	t.Parallel()
	departments := NewDirectory([]Entry{{ID: "fgw", Name: "市发展改革委", Aliases: []string{"市发改委"}}, {ID: "gxj", Name: "市工业和信息化局"}})
	office := &Principal{ID: "a", Role: RoleOffice, Districts: []string{"shanyang", "xiuwu"}}
	city := &Principal{ID: "b", Role: RoleOffice, Districts: []string{CityDistrict}}
	bound := &Principal{ID: "c", Role: RoleOffice, Districts: []string{"shanyang"}, SourcePrefix: "/systems/erp", Types: []Type{ProgressReported}}
	department := &Principal{ID: "d", Role: RoleDepartment, Districts: []string{CityDistrict}, Departments: []string{"fgw"}, SourcePrefix: "/departments/fgw"}
	from := func(source string, e *Event) *Event { e.Source = source; return e }
	progress := func(district string) *Event { return sent(ProgressReported, district, &Progress{}) }
	raised := func(name string) *Event {
		return from("/departments/fgw", sent(IssueRaised, CityDistrict, &Raised{Department: name}))
	}
	for _, c := range []struct {
		name  string
		who   *Principal
		event *Event
		field string // "" is admitted
	}{
		{"its district", office, progress("shanyang"), ""},
		{"its other district", office, progress("xiuwu"), ""},
		{"a district below its source", office, from("/offices/shanyang/erp", progress("shanyang")), ""},
		{"another district", office, progress("boai"), "district"},
		{"the city", office, sent(ProjectSuspended, CityDistrict, &StatusChange{}), "district"},
		{"another's source", office, from("/offices/boai", progress("shanyang")), "source"},
		{"the source of its other district", office, from("/offices/xiuwu", progress("shanyang")), "source"},
		{"a source that only begins alike", office, from("/offices/shanyang2", progress("shanyang")), "source"},
		{"a source that climbs", office, from("/offices/shanyang/../boai", progress("shanyang")), "source"},
		{"a source that climbs in disguise", office, from("/offices/shanyang/%2e%2E/boai", progress("shanyang")), "source"},
		{"the source of an absolute address", office, from("https://example.org/offices/shanyang", progress("shanyang")), "source"},
		{"a plan", office, sent(MilestonePlanned, "shanyang", &Planned{}), ""},
		{"an approved plan", office, sent(MilestonePlanned, "shanyang", &Planned{Approved: true}), "data.approved"},
		{"an amendment", office, sent(ProjectAmended, "shanyang", &Amended{}), ""},
		{"a move", office, sent(ProjectAmended, "shanyang", &Amended{District: "boai"}), "data.district"},
		{"a suspension", office, sent(ProjectSuspended, "shanyang", &StatusChange{}), "type"},
		{"a resumption", office, sent(ProjectResumed, "shanyang", &StatusChange{}), "type"},
		{"a cancellation", office, sent(ProjectCancelled, "shanyang", &StatusChange{}), "type"},
		{"an adjustment", office, sent(AdjustmentRecorded, "shanyang", &Adjustment{}), "type"},
		{"revoking its own", office, sent(EventRevoked, "shanyang", &Revoked{Source: "/offices/shanyang", ID: "x"}), ""},
		{"revoking another's", office, sent(EventRevoked, "shanyang", &Revoked{Source: "/offices/boai", ID: "x"}), "data.revokes.source"},

		{"the city suspends", city, sent(ProjectSuspended, CityDistrict, &StatusChange{}), ""},
		{"the city approves", city, sent(MilestonePlanned, CityDistrict, &Planned{Approved: true}), ""},
		{"the city moves", city, sent(ProjectAmended, CityDistrict, &Amended{District: "boai"}), ""},
		{"the city adjusts", city, sent(AdjustmentRecorded, CityDistrict, &Adjustment{}), ""},
		{"the city revokes another's", city, sent(EventRevoked, CityDistrict, &Revoked{Source: "/offices/boai", ID: "x"}), ""},
		{"the city as a district", city, progress("shanyang"), "district"},

		{"bound source and type", bound, from("/systems/erp/7", progress("shanyang")), ""},
		{"the usual source of a bound token", bound, progress("shanyang"), "source"},
		{"a type that it is not bound to", bound, from("/systems/erp", sent(IssueRaised, "shanyang", &Raised{})), "type"},

		{"its issue by name", department, raised("市发展改革委"), ""},
		{"its issue by alias", department, raised("市发改委"), ""},
		{"another's issue", department, raised("市工业和信息化局"), "data.department"},
		{"an unknown department's issue", department, raised("市没有局"), "data.department"},
		{"a department's progress", department, from("/departments/fgw", progress(CityDistrict)), ""},
		{"a department's progress for a district", department, from("/departments/fgw", progress("shanyang")), "district"},
		{"a department's milestone", department, from("/departments/fgw", sent(MilestoneReached, CityDistrict, &Reached{})), "type"},
		{"a department suspends", department, from("/departments/fgw", sent(ProjectSuspended, CityDistrict, &StatusChange{})), "type"},

		{"an analyst", &Principal{ID: "e", Role: RoleAnalyst}, progress("shanyang"), "-"},
		{"an editor", &Principal{ID: "f", Role: RoleEditor}, progress("shanyang"), "-"},
		{"no role at all", &Principal{ID: "g"}, progress("shanyang"), "-"},
		{"an admin", &Principal{ID: "h", Role: RoleAdmin}, from("/anywhere", progress("boai")), ""},
	} {
		err := c.who.Admits(c.event, departments)
		var e *Error
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.field == "":
		case !errors.As(err, &e) || e.Code != Forbidden || e.Hint == "" || c.field != "-" && e.Field != c.field:
			t.Errorf("%s: %v, want it forbidden at %s", c.name, err, c.field)
		case c.field != "-" && e.Value == "":
			t.Errorf("%s: the value is missing", c.name)
		}
	}
}

func TestRolesAndPermissions(t *testing.T) {
	t.Parallel()
	all := []Permission{MayPublish, MaySeeLedger, MayRead, MayIssue, MayAdminister}
	for role, want := range map[Role][]Permission{
		RoleOffice: {MayPublish, MaySeeLedger}, RoleDepartment: {MayPublish, MaySeeLedger}, RoleAnalyst: {MaySeeLedger, MayRead},
		RoleEditor: {MaySeeLedger, MayRead, MayIssue}, RoleAdmin: all, "": {}, "root": {},
	} {
		var got []Permission
		for _, p := range all {
			if role.May(p) {
				got = append(got, p)
			}
		}
		if len(got) != len(want) || strings.Join(words(got), " ") != strings.Join(words(want), " ") {
			t.Errorf("%q may %v, want %v", role, got, want)
		}
	}
}

func words(list []Permission) []string {
	out := []string{}
	for _, p := range list {
		out = append(out, string(p))
	}
	return out
}

func TestLateReport(t *testing.T) {
	t.Parallel()
	received := time.Date(2025, 10, 20, 9, 0, 0, 0, Location)
	office := &Principal{ID: "a", Role: RoleOffice}
	for _, c := range []struct {
		who  *Principal
		at   time.Time
		days int
		warn string
	}{
		{office, received, 7, ""},
		{office, received.AddDate(0, 0, -7), 7, ""},
		{office, received.AddDate(0, 0, -7).Add(-time.Second), 7, "reported 7 days after"},
		{office, received.AddDate(0, 0, -9), 7, "reported 9 days after"},
		{office, received.AddDate(0, 0, -9), 30, ""},
		{office, received.AddDate(0, 0, -900), 0, ""},
		{office, received.AddDate(0, 0, 9), 7, ""},
		{&Principal{ID: "b", Role: RoleAdmin}, received.AddDate(0, 0, -90), 7, ""},
	} {
		warnings := c.who.LateReport(&Event{Time: c.at}, received, c.days)
		if (len(warnings) == 1) != (c.warn != "") || len(warnings) == 1 && !strings.HasPrefix(warnings[0].Message, c.warn) {
			t.Errorf("%s at %s with %d days: %v", c.who.Role, c.at, c.days, warnings)
		}
	}
}

func TestActorProof(t *testing.T) {
	t.Parallel()
	key, err := NewActorKey([]byte(strings.Repeat("k", ActorKeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewActorKey([]byte(strings.Repeat("o", ActorKeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := Fingerprint{1, 2, 3}
	proof := key.Proof(fingerprint, "office:abc")
	for _, c := range []struct {
		name         string
		fingerprint  Fingerprint
		actor, proof string
		key          *ActorKey
		want         bool
	}{
		{"its own", fingerprint, "office:abc", proof, key, true},
		{"another actor", fingerprint, "admin:abc", proof, key, false},
		{"another event", Fingerprint{1, 2, 4}, "office:abc", proof, key, false},
		{"another key", fingerprint, "office:abc", proof, other, false},
		{"no proof", fingerprint, "office:abc", "", key, false},
		{"no hexadecimal", fingerprint, "office:abc", strings.Repeat("z", len(proof)), key, false},
		{"cut", fingerprint, "office:abc", proof[:len(proof)-2], key, false},
		{"longer", fingerprint, "office:abc", proof + "00", key, false},
	} {
		if got := c.key.Proves(c.fingerprint, c.actor, c.proof); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	for _, actor := range []string{"", "office:abc", strings.Repeat("长", 200)} {
		standard := hmac.New(sha256.New, []byte(strings.Repeat("k", ActorKeyBytes)))
		standard.Write([]byte(fingerprint.String() + actor))
		if want := hex.EncodeToString(standard.Sum(nil)[:16]); key.Proof(fingerprint, actor) != want {
			t.Errorf("the proof of %q is not HMAC-SHA-256", actor)
		}
	}
	if _, err := NewActorKey([]byte("short")); err == nil {
		t.Error("a short secret made a key")
	}
}

func BenchmarkActorProof(b *testing.B) {
	key, err := NewActorKey([]byte(strings.Repeat("k", ActorKeyBytes)))
	if err != nil {
		b.Fatal(err)
	}
	fingerprint := Fingerprint{1, 2, 3}
	proof := key.Proof(fingerprint, "office:abcdefgh")
	b.ReportAllocs()
	for b.Loop() {
		if !key.Proves(fingerprint, "office:abcdefgh", proof) {
			b.Fatal("not proven")
		}
	}
}
