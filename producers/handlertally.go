package producers

import (
	"iter"

	"milepost/schemas"
)

// Admitted gives the submissions with an admission; nil changes nothing.
func Admitted(submissions iter.Seq[Submission], admit Admission) iter.Seq[Submission] {
	if admit == nil {
		return submissions
	}
	return func(yield func(Submission) bool) {
		for s := range submissions {
			s.Admit = admit
			if !yield(s) {
				return
			}
		}
	}
}

// Tally counts receipts: what became of the events of one request.
type Tally struct {
	// Published are new on the stream, Duplicates were there, Refused never
	// will be, and Failed are not known to be there.
	Published, Duplicates, Refused, Failed uint64
	// FirstSeq and LastSeq are the least and greatest sequence of the new ones;
	// others' events may lie in between. Code is that of the last error.
	FirstSeq, LastSeq uint64
	Code              schemas.Code
}

// Count adds a receipt.
func (t *Tally) Count(r Receipt) {
	switch {
	case r.Error != nil:
		t.Code = r.Error.Code
		if t.Code == schemas.Unavailable {
			t.Failed++
		} else {
			t.Refused++
		}
	case r.Duplicate:
		t.Duplicates++
	default:
		t.Published++
		t.LastSeq = max(t.LastSeq, r.Seq)
		if t.FirstSeq == 0 || r.Seq < t.FirstSeq {
			t.FirstSeq = r.Seq
		}
	}
}
