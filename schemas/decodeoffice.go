package schemas

// The events that are about other events, the assessment or an edition.

func (d *decoder) revoked() (*Revoked, *Error) {
	out := new(Revoked)
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "revokes":
			if o.given(0) {
				o.err = d.revokes(out)
			}
		case "reason":
			if o.given(1) {
				o.err = d.prose(&out.Reason, reasonLimits)
			}
		case "decided_on":
			if o.given(2) {
				o.err = d.date(&out.DecidedOn)
			}
		default:
			o.ignore()
		}
	}
	return out, o.end("revokes", "reason", "decided_on")
}

func (d *decoder) revokes(out *Revoked) *Error {
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "source":
			if o.given(0) {
				o.err = d.word(&out.Source, defSource, isSource)
			}
		case "id":
			if o.given(1) {
				o.err = d.word(&out.ID, defID, isID)
			}
		default:
			o.ignore()
		}
	}
	return o.end("source", "id")
}

func (d *decoder) adjustment() (*Adjustment, *Error) {
	out := new(Adjustment)
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "year":
			if o.given(0) {
				var year int64
				year, o.err = d.integer(defYear, 1900, 2299)
				out.Year = int(year)
			}
		case "target":
			if o.given(1) {
				o.err = d.adjusted(out)
			}
		case "points":
			if o.given(2) {
				out.Points, o.err = d.hundredths(defPoints, -2000, 500, 1)
			}
		case "reason":
			if o.given(3) {
				o.err = d.prose(&out.Reason, reasonLimits)
			}
		case "document":
			if o.given(4) {
				o.err = d.prose(&out.Document, reasonLimits)
			}
		case "decided_on":
			if o.given(5) {
				o.err = d.date(&out.DecidedOn)
			}
		case "veto":
			if o.given(6) {
				o.err = d.flag(&out.Veto)
			}
		default:
			o.ignore()
		}
	}
	return out, o.end("year", "target", "points", "reason", "document", "decided_on")
}

func (d *decoder) adjusted(out *Adjustment) *Error {
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "kind":
			if o.given(0) {
				var kind string
				o.err = d.word(&kind, defRow, isRowKind)
				out.Kind = AdjustmentKind(kind)
			}
		case "key":
			if o.given(1) {
				o.err = d.prose(&out.Key, nameLimits)
			}
		default:
			o.ignore()
		}
	}
	return o.end("kind", "key")
}

func (d *decoder) publication(t Type) (*Publication, *Error) {
	out := new(Publication)
	kinds := isEditionKind
	if t != BulletinPublished && t != BulletinWithdrawn {
		kinds = isAssessmentKind
	}
	o := d.object()
	for o.next() {
		switch string(o.name) {
		case "kind":
			if o.given(0) {
				o.err = d.word(&out.Kind, defKind, kinds)
			}
		case "period":
			if o.given(1) {
				o.err = d.word(&out.Period, defPeriod, isPeriod)
			}
		case "number":
			if o.given(2) {
				var number int64
				number, o.err = d.integer(defCount, 1, 1_000_000)
				out.Number = int(number)
			}
		case "known_seq":
			if o.given(3) {
				var seq int64
				seq, o.err = d.integer(defSequence, 0, 1<<53-1)
				out.KnownSeq = uint64(seq)
			}
		case "rules_hash":
			if o.given(4) {
				o.err = d.prose(&out.RulesHash, lineLimits)
			}
		case "files":
			if o.given(5) {
				o.err = d.files(&out.Files)
			}
		case "remarks":
			if o.given(6) {
				o.err = d.prose(&out.Remarks, textLimits)
			}
		default:
			o.ignore()
		}
	}
	if t == BulletinPublished {
		return out, o.end("kind", "period", "number", "known_seq")
	}
	return out, o.end("kind", "period")
}

func (d *decoder) files(out *[]PublishedFile) *Error {
	list := []PublishedFile{}
	a := d.array(defFiles)
	for a.next() {
		var f PublishedFile
		o := d.object()
		for o.next() {
			switch string(o.name) {
			case "name":
				if o.given(0) {
					o.err = d.prose(&f.Name, nameLimits)
				}
			case "sha256":
				if o.given(1) {
					o.err = d.word(&f.SHA256, defSHA256, isSHA256)
				}
			default:
				o.ignore()
			}
		}
		a.err = o.end("name", "sha256")
		list = append(list, f)
	}
	*out = list
	return a.end()
}
