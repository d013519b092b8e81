package scheduler

import (
	"testing"

	"milepost/schemas"
)

func TestIDsOfEditions(t *testing.T) {
	for id, want := range map[string]Subject{
		"bulletin-2025-10":    {Kind: "month", Period: "2025-10", Year: 2025},
		"2025-10":             {Kind: "month", Period: "2025-10", Year: 2025},
		"bulletin-2025-10-c2": {Kind: "month", Period: "2025-10", Year: 2025, Correction: 2},
		"bulletin-2026-W53":   {Kind: "week", Period: "2026-W53", Year: 2026},
		"bulletin-2025":       {Kind: "year", Period: "2025", Year: 2025},
		"assessment-2025":     {Kind: schemas.AssessmentKind, Period: "2025", Year: 2025},
	} {
		got, err := ParseID(id)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
		if again, err := ParseID(got.ID()); err != nil || again != got {
			t.Errorf("%s read from %s: %+v, %v", id, got.ID(), again, err)
		}
	}
	for _, id := range []string{"", "october", "bulletin-", "bulletin-2025-10-c0", "bulletin-2025-10-c01", "bulletin-2025-10-c+1", "bulletin-2025-10-c1000", "assessment-2025-10", "bulletin-../secret"} {
		if got, err := ParseID(id); schemas.CodeOf(err) != schemas.Invalid {
			t.Errorf("%s was read as %+v, %v", id, got, err)
		}
	}
}

func TestEditionsOfAPeriodAreFoundByNumber(t *testing.T) {
	edition := func(period string, number int) Edition {
		return Edition{Publication: schemas.Publication{Kind: "month", Period: period, Number: number}}
	}
	issued := Issued{Editions: []Edition{edition("2025-10", 4), edition("2025-10", 1), edition("2025-11", 2)}}
	first, correction := Bulletin(period("2025-10")), Bulletin(period("2025-10"))
	correction.Correction = 1
	if e, ok := issued.exactly(first); !ok || e.Number != 1 {
		t.Errorf("first: %+v", e)
	}
	if e, ok := issued.exactly(correction); !ok || e.Number != 4 {
		t.Errorf("correction: %+v", e)
	}
	if e := issued.corrected(correction); e == nil || e.Number != 1 {
		t.Errorf("corrected: %+v", e)
	}
	if got := issued.subjectOf(edition("2025-10", 4), 2025); got != correction {
		t.Errorf("subject: %+v", got)
	}
	correction.Correction = 2
	if e, ok := issued.exactly(correction); ok {
		t.Errorf("a correction that nobody made: %+v", e)
	}
	if issued.next() != 5 {
		t.Errorf("next: %d", issued.next())
	}
}

func TestTheLastDayOfAnAnnouncementIsReadFromItsEvent(t *testing.T) {
	for remarks, want := range map[string]schemas.Date{
		"公示至2026-01-25": schemas.NewDate(2026, 1, 25), "公示至2026-01-25，五个工作日": schemas.NewDate(2026, 1, 25),
		"公示至2026-02-30": 0, "公示五个工作日": 0, "公示至": 0, "": 0,
	} {
		if got := AnnouncedUntil(remarks); got != want {
			t.Errorf("%q: %s, want %s", remarks, got, want)
		}
	}
}

func TestAStaleDraftIsNotPublished(t *testing.T) {
	subject := Bulletin(period("2025-11"))
	issued := Issued{Editions: []Edition{{Seq: 7, Publication: schemas.Publication{Period: "2025-10", Number: 1}}}}
	if err := issued.stale(subject, 7); err != nil {
		t.Error(err)
	}
	if err := issued.stale(subject, 6); schemas.CodeOf(err) != schemas.Conflict {
		t.Errorf("an edition that the draft does not know: %v", err)
	}
	issued.Editions[0].Withdrawn = &schemas.EditionWithdrawal{Seq: 9}
	if err := issued.stale(subject, 8); schemas.CodeOf(err) != schemas.Conflict {
		t.Errorf("a withdrawal that the draft does not know: %v", err)
	}
}
