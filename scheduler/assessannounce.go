package scheduler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"milepost/scheduler/assessment"
	"milepost/schemas"
)

// maxAnnouncementDays bounds a 公示.
const maxAnnouncementDays = 90

// announcedUntil begins the remarks of an announcement: the event itself says
// until when it stands.
const announcedUntil = "公示至"

// AnnouncedUntil reads the last day of the announcement from its remarks; 0 when
// another writer did not say it.
func AnnouncedUntil(remarks string) schemas.Date {
	rest, found := strings.CutPrefix(remarks, announcedUntil)
	if !found || len(rest) < len(time.DateOnly) {
		return 0
	}
	day, err := schemas.ParseDate(rest[:len(time.DateOnly)])
	if err != nil {
		return 0
	}
	return day
}

// Announce announces the assessment of the year (公示): what is known now stands
// open to objections for so many days after today, 0 for as many as are
// configured. Once for a year; a repetition gives the announcement. again
// announces it anew, with its own days, when the assessment has changed since, as
// after an objection that was right; its files say what changed.
func (d *Desk) Announce(ctx context.Context, year, days int, again bool) (schemas.EditionStatus, error) {
	if days == 0 {
		days = d.c.AnnouncementDays
	}
	if days < 1 || days > maxAnnouncementDays {
		return schemas.EditionStatus{}, &schemas.Error{Code: schemas.Invalid, Message: "not a number of days", Field: "days", Value: fmt.Sprint(days), Hint: fmt.Sprintf("announce for 1 to %d days", maxAnnouncementDays)}
	}
	if err := d.ended(assessment.Period(year)); err != nil {
		return schemas.EditionStatus{}, err
	}
	subject := Assessment(year)
	if err := d.announce(ctx, subject, days, again); err != nil {
		return schemas.EditionStatus{}, err
	}
	return d.Status(ctx, subject)
}

func (d *Desk) announce(ctx context.Context, subject Subject, days int, again bool) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	for range maxConflicts {
		issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
		if err != nil {
			return err
		}
		if issued.Announced != nil && !again {
			return nil
		}
		if _, finalised := issued.of(subject); finalised {
			return wrongState(subject, "the assessment was finalised", "nothing is announced any more")
		}
		known, err := d.s.watermarkFor(ctx, subject, issued.LastSeq)
		if err != nil {
			return err
		}
		var before *Edition
		if issued.Announced != nil {
			before = &issued.Announced.Edition
		}
		p, err := d.s.build(ctx, subject, basis{known: known}, before)
		if err != nil {
			return err
		}
		if before != nil && p.restated == 0 {
			if issued.Announcements > 1 {
				return nil // the repetition of an announcement anew
			}
			return wrongState(subject, "nothing changed since the announcement", "finalise it after "+issued.Announced.Until.String()+"; it is announced anew when facts have changed it")
		}
		hash, err := p.rules.Hash()
		if err != nil {
			return err
		}
		files, err := d.s.editionFiles(ctx, p, subject, making{}, hash)
		if err != nil {
			return err
		}
		if err := d.s.keep(ctx, files); err != nil {
			return err
		}
		at := d.Now()
		until := schemas.DateOf(at) + schemas.Date(days)
		publication := schemas.Publication{Kind: subject.Kind, Period: subject.Period, KnownSeq: p.knownSeq, RulesHash: hash, Files: publishedFiles(files), Remarks: announcedUntil + until.String()}
		seq, err := d.Editions.Append(ctx, editionEvent(schemas.AssessmentAnnounced, "assessment.announced-"+subject.Period+round(issued.Announcements), publication, subject, at), issued.LastSeq)
		if schemas.CodeOf(err) == schemas.Conflict {
			continue
		}
		if err != nil {
			return fmt.Errorf("announcing %s: %w", subject, err)
		}
		d.s.appended = max(d.s.appended, seq)
		return d.s.c.Shelf.Put(ctx, Subject{Kind: subject.Kind, Period: subject.Period + "-announced" + round(issued.Announcements), Year: subject.Year}, files)
	}
	return &schemas.Error{Code: schemas.Unavailable, Message: "other replicas kept writing first", Field: "year", Value: subject.Period, Hint: "try again"}
}

// round ends the names of what comes after so many announcements.
func round(earlier int) string {
	if earlier == 0 {
		return ""
	}
	return fmt.Sprintf("-%d", earlier+1)
}

// Object records an objection to a row of the announced assessment: of the
// group of kind district, department or lead, with the key. The same again
// changes nothing.
func (d *Desk) Object(ctx context.Context, year int, group, key, text string) (schemas.EditionStatus, error) {
	subject := Assessment(year)
	for field, word := range map[string]string{"group": group, "key": key} {
		if err := checkText(field, word); err != nil {
			return schemas.EditionStatus{}, err
		}
	}
	if err := checkText("text", text); err != nil {
		return schemas.EditionStatus{}, err
	}
	row := group + "/" + key
	said := row + ": " + text
	sum := sha256.Sum256([]byte(said))
	for range maxConflicts {
		issued, err := d.Editions.Published(ctx, subject.Kind, subject.Year)
		if err != nil {
			return schemas.EditionStatus{}, err
		}
		// To what was announced anew the same may be said again.
		id := "assessment.objected-" + subject.Period + "-" + hex.EncodeToString(sum[:8]) + round(max(issued.Announcements, 1)-1)
		if slices.ContainsFunc(issued.Objections, func(o schemas.EditionObjection) bool { return o.ID == id }) {
			return d.Status(ctx, subject)
		}
		if err := d.mayObject(ctx, subject, &issued, row); err != nil {
			return schemas.EditionStatus{}, err
		}
		publication := schemas.Publication{Kind: subject.Kind, Period: subject.Period, KnownSeq: issued.Announced.KnownSeq, RulesHash: issued.Announced.RulesHash, Remarks: said}
		seq, err := d.Editions.Append(ctx, editionEvent(schemas.AssessmentObjected, id, publication, subject, d.Now()), issued.LastSeq)
		if schemas.CodeOf(err) == schemas.Conflict {
			continue
		}
		if err != nil {
			return schemas.EditionStatus{}, fmt.Errorf("objection to %s: %w", subject, err)
		}
		d.s.noteAppended(seq)
		return d.Status(ctx, subject)
	}
	return schemas.EditionStatus{}, &schemas.Error{Code: schemas.Unavailable, Message: "other replicas kept writing first", Field: "year", Value: subject.Period, Hint: "try again"}
}

func (d *Desk) mayObject(ctx context.Context, subject Subject, issued *Issued, row string) error {
	if _, finalised := issued.of(subject); finalised {
		return wrongState(subject, "the assessment was finalised", "objections are recorded while it is announced")
	}
	a := issued.Announced
	if a == nil {
		return wrongState(subject, "the assessment is not announced", "announce it by assess "+subject.Period+" --announce")
	}
	if a.Until != 0 && schemas.DateOf(d.Now()) > a.Until {
		return wrongState(subject, "the announcement (公示) has ended", "it ended on "+a.Until.String())
	}
	p, err := d.s.build(ctx, subject, basis{known: a.KnownSeq, rulesHash: a.RulesHash}, nil)
	if err != nil {
		return err
	}
	if !p.rows[row] {
		return &schemas.Error{Code: schemas.Invalid, Message: "the announced assessment has no such row", Field: "key", Value: schemas.Shorten(row), Hint: "name the kind (district, department, lead) and the key of a row of assess " + subject.Period}
	}
	return nil
}
