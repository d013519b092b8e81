package schemas

import "fmt"

// Judged is what one subject adds to the ledger of one cut.
type Judged struct {
	ProjectID string
	// Standing has no ProjectID where the subject has no row in the ledger.
	Standing    Standing
	Orphans     int
	Ignored     []Ignored
	Adjustments []RecordedAdjustment
}

// The packed form of what was judged is read many times faster than it is judged again. It leaves out the trace. Its first
// byte is the version, the second tells whether there is a standing.

const judgedVersion = 1

// AppendJudged adds the packed form of what was judged of a subject, without its ProjectID.
func AppendJudged(b []byte, j *Judged) []byte {
	p := packer{b: append(b, judgedVersion)}
	p.flag(j.Standing.ProjectID != "")
	if j.Standing.ProjectID != "" {
		p.standing(&j.Standing)
	}
	p.number(uint64(j.Orphans))
	p.number(uint64(len(j.Ignored)))
	for _, i := range j.Ignored {
		p.event(i.Event)
		p.text(string(i.Type))
		p.text(i.ProjectID)
		p.text(i.District)
		p.flag(i.Foreign)
		p.text(string(i.Part))
		p.text(i.Reason)
	}
	p.number(uint64(len(j.Adjustments)))
	for i := range j.Adjustments {
		a := &j.Adjustments[i]
		p.event(a.Event)
		p.number(uint64(a.Year))
		p.text(string(a.Kind))
		p.text(a.Key)
		p.signed(a.Points)
		p.flag(a.Veto)
		p.text(a.Reason)
		p.text(a.Document)
		p.date(a.DecidedOn)
	}
	return p.b
}

// JudgedStanding tells whether a packed form holds a standing.
func JudgedStanding(packed string) bool { return len(packed) > 1 && packed[1] == 1 }

// UnpackJudged reads what AppendJudged wrote of a subject into j, which is empty. Words that many projects share are taken
// from shared, which gives its argument or an equal text; other texts are parts of packed. It fails when the text is not
// such a form.
func UnpackJudged(projectID, packed string, shared func(string) string, j *Judged) error {
	one := JudgedUnpacker{shared: shared}
	if err := one.unpack(projectID, packed); err != nil {
		return err
	}
	*j = one.judged
	return nil
}

// JudgedUnpacker reads one packed form after the other into the same memory. Its zero value is ready.
type JudgedUnpacker struct {
	judged Judged
	shared func(string) string // nil: every text is a part of the packed form
	issues []IssueStanding
	method []Verdict
	tags   []string
}

// Unpack is UnpackJudged into memory of its own: what it gives holds until it is called again, and its texts are parts of
// packed.
func (o *JudgedUnpacker) Unpack(projectID, packed string) (*Judged, error) {
	if err := o.unpack(projectID, packed); err != nil {
		return nil, err
	}
	return &o.judged, nil
}

func (o *JudgedUnpacker) unpack(projectID, packed string) error {
	if packed == "" || packed[0] != judgedVersion {
		return fmt.Errorf("what was judged of %s: unknown version", projectID)
	}
	u := unpacker{rest: packed[1:]}
	o.judged = Judged{ProjectID: projectID}
	j := &o.judged
	if u.flag() {
		j.Standing.ProjectID = projectID
		o.standing(&u, &j.Standing)
	}
	j.Orphans = int(u.number())
	for range u.count() {
		j.Ignored = append(j.Ignored, Ignored{
			Event: u.event(), Type: Type(u.text()), ProjectID: u.text(), District: u.text(), Foreign: u.flag(), Part: IgnoredPart(u.text()), Reason: u.text(),
		})
	}
	for range u.count() {
		a := RecordedAdjustment{Event: u.event()}
		a.Adjustment = Adjustment{Year: int(u.number()), Kind: AdjustmentKind(u.text()), Key: u.text(), Points: u.signed(), Veto: u.flag(), Reason: u.text(), Document: u.text(), DecidedOn: u.date()}
		j.Adjustments = append(j.Adjustments, a)
	}
	if u.failed || u.rest != "" {
		return fmt.Errorf("what was judged of %s: %w", projectID, errUnpack)
	}
	return nil
}

// word gives a text that many projects share.
func (o *JudgedUnpacker) word(text string) string {
	if o.shared == nil {
		return text
	}
	return o.shared(text)
}

func (p *packer) event(e EventRef) {
	p.text(e.Source)
	p.text(e.ID)
	p.number(e.Seq)
}

func (u *unpacker) event() EventRef { return EventRef{Source: u.text(), ID: u.text(), Seq: u.number()} }

func (p *packer) holder(h Holder) {
	p.text(h.Lead)
	p.text(h.Department)
}

func (o *JudgedUnpacker) holder(u *unpacker) Holder {
	return Holder{Lead: o.word(u.text()), Department: o.word(u.text())}
}

func (p *packer) standing(s *Standing) {
	p.text(s.Name)
	p.text(s.Enterprise)
	p.text(s.Industry)
	p.texts(s.Tags)
	p.text(s.District)
	p.holder(s.Holder)
	p.date(s.RegisteredOn)
	p.money(s.TotalInvestment)
	p.text(string(s.Stage))
	p.text(string(s.Status))
	p.text(string(s.Light))
	p.flags(s.Withheld, s.Suspended, s.Cancelled, s.OutOfOrder)
	p.date(s.SuspendedOn)
	p.date(s.CancelledOn)
	p.text(s.CancelReason)
	p.number(uint64(s.StalledMonths))
	for m := range s.Milestones {
		ms := &s.Milestones[m]
		p.date(ms.Baseline)
		p.date(ms.Target)
		p.date(ms.Forecast)
		p.date(ms.ReachedOn)
		p.signed(int64(ms.LateDays))
		p.flag(ms.Late)
		p.number(uint64(ms.OverdueMonths))
		p.holder(ms.ReachedBy)
	}
	i := &s.Investment
	p.money(i.Plan)
	p.money(i.Invested)
	p.flags(i.Known, i.Unreported)
	p.number(uint64(i.ReportsDue))
	p.number(uint64(i.ReportsOnTime))
	p.flag(s.Issues != nil)
	p.number(uint64(len(s.Issues)))
	for k := range s.Issues {
		issue := &s.Issues[k]
		p.text(issue.ID)
		p.text(issue.Title)
		p.text(issue.Category)
		p.text(issue.Department)
		p.date(issue.RaisedOn)
		p.date(issue.DueOn)
		p.date(issue.ResolvedOn)
	}
	p.flag(s.Method != nil)
	p.number(uint64(len(s.Method)))
	for _, verdict := range s.Method {
		p.number(uint64(verdict))
	}
}

func (o *JudgedUnpacker) standing(u *unpacker, s *Standing) {
	s.Name, s.Enterprise, s.Industry = u.text(), u.text(), o.word(u.text())
	if some := u.flag(); some {
		o.tags = room(o.tags, u.count())
		for k := range o.tags {
			o.tags[k] = u.text()
		}
		s.Tags = o.tags
	}
	s.District, s.Holder, s.RegisteredOn, s.TotalInvestment = o.word(u.text()), o.holder(u), u.date(), u.money()
	s.Stage, s.Status, s.Light = Stage(o.word(u.text())), Status(o.word(u.text())), Light(o.word(u.text()))
	flags := u.number()
	s.Withheld, s.Suspended, s.Cancelled, s.OutOfOrder = flags&1 != 0, flags&2 != 0, flags&4 != 0, flags&8 != 0
	s.SuspendedOn, s.CancelledOn, s.CancelReason, s.StalledMonths = u.date(), u.date(), u.text(), int(u.number())
	for m := range s.Milestones {
		s.Milestones[m] = MilestoneStanding{
			Baseline: u.date(), Target: u.date(), Forecast: u.date(), ReachedOn: u.date(),
			LateDays: int(u.signed()), Late: u.flag(), OverdueMonths: int(u.number()), ReachedBy: o.holder(u),
		}
	}
	i := &s.Investment
	i.Plan, i.Invested = u.money(), u.money()
	flags = u.number()
	i.Known, i.Unreported = flags&1 != 0, flags&2 != 0
	i.ReportsDue, i.ReportsOnTime = int(u.number()), int(u.number())
	some, n := u.flag(), u.count()
	if some {
		o.issues = room(o.issues, n)
		s.Issues = o.issues
	}
	for k := range s.Issues {
		s.Issues[k] = IssueStanding{ID: u.text(), Title: u.text(), Category: o.word(u.text()), Department: o.word(u.text()), RaisedOn: u.date(), DueOn: u.date(), ResolvedOn: u.date()}
	}
	some, n = u.flag(), u.count()
	if some {
		o.method = room(o.method, n)
		s.Method = o.method
	}
	for k := range s.Method {
		s.Method[k] = Verdict(u.number())
	}
}

// room gives a slice of n elements, of the same memory where it is large enough; it is never nil.
func room[T any](list []T, n int) []T {
	if list == nil || cap(list) < n {
		return make([]T, n)
	}
	return list[:n]
}

// flags packs up to eight of them, the first as 1.
func (p *packer) flags(list ...bool) {
	var n uint64
	for i, set := range list {
		if set {
			n |= 1 << i
		}
	}
	p.number(n)
}
