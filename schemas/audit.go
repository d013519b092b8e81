package schemas

import "time"

// The audit is a stream of its own, to which records are only ever added.
const (
	AuditStream   = "MILEPOST_AUDIT"
	AuditSubjects = "milepost.audit.>"
	// AuditSubjectPrefix precedes the action.
	AuditSubjectPrefix = "milepost.audit."
)

// AuditResult says how an action ended.
type AuditResult string

// The results. An act that changes who may do what, or what is published, is
// recorded before it is done, as begun; when that stays the last word, the
// server ended in between.
const (
	AuditBegun   AuditResult = "begun"
	AuditDone    AuditResult = "done"
	AuditRefused AuditResult = "refused"
	AuditFailed  AuditResult = "failed"
)

// AuditRecord says who did what, when, from where, with which result. A later
// record with the same ID replaces what an earlier one said.
type AuditRecord struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Action is such as "publish", "token.create", "bulletin.publish".
	Action string `json:"action"`
	// Actor is Principal.Actor, Name what people call the token.
	Actor  string      `json:"actor"`
	Name   string      `json:"name"`
	Remote string      `json:"remote"`
	Result AuditResult `json:"result"`
	// Status is the HTTP status of the answer and Code the error's, if one was.
	Status int  `json:"status"`
	Code   Code `json:"code"`
	// Target is what was acted on: a token's id, a period, a sequence.
	Target string `json:"target"`
	// Of publishing: how many requests the record stands for, what became of
	// their events, and the range of sequences that the new ones got (others'
	// events may lie in between).
	Requests   uint64 `json:"requests"`
	Published  uint64 `json:"published"`
	Duplicates uint64 `json:"duplicates"`
	Refused    uint64 `json:"refused"`
	FirstSeq   uint64 `json:"first_seq"`
	LastSeq    uint64 `json:"last_seq"`
}

// AddPublished adds what another request of the same sender published.
func (r *AuditRecord) AddPublished(o AuditRecord) {
	r.Requests += o.Requests
	r.Published += o.Published
	r.Duplicates += o.Duplicates
	r.Refused += o.Refused
	r.LastSeq = max(r.LastSeq, o.LastSeq)
	if r.FirstSeq == 0 || o.FirstSeq != 0 && o.FirstSeq < r.FirstSeq {
		r.FirstSeq = o.FirstSeq
	}
	if o.Result != AuditDone {
		r.Result, r.Code = o.Result, o.Code
	}
}
