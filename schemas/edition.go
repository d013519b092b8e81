package schemas

import "time"

// EditionState says where an edition is on its way.
type EditionState string

// The states. An edition is drafted, perhaps returned with remarks, published
// and perhaps withdrawn; an assessment is announced (公示) before it is finalised,
// which is its publication.
const (
	EditionDrafted   EditionState = "draft"
	EditionReturned  EditionState = "returned"
	EditionAnnounced EditionState = "announced"
	EditionPublished EditionState = "published"
	EditionWithdrawn EditionState = "withdrawn"
)

// EditorBlocks are an editor's own paragraphs: 领导批示, 原因分析 and 下步要求.
type EditorBlocks struct {
	Instructions []string `json:"instructions"`
	Causes       []string `json:"causes"`
	Next         []string `json:"next"`
}

// EditionAct says who did something, and when.
type EditionAct struct {
	By string    `json:"by"` // Principal.Actor
	At time.Time `json:"at"`
}

// EditionRemark is why a draft was returned.
type EditionRemark struct {
	EditionAct
	Text string `json:"text"`
}

// ConsultationAnswer is what a department says of a draft.
type ConsultationAnswer struct {
	EditionAct
	Department string `json:"department"`
	Text       string `json:"text"`
}

// Consultation is a 征求意见 round: the departments may answer until the end of
// a day.
type Consultation struct {
	Departments []string             `json:"departments"`
	Until       Date                 `json:"until"`
	Closed      bool                 `json:"closed"`
	Answers     []ConsultationAnswer `json:"answers"`
}

// EditionDraft is the draft of an edition and what people did with it. It is
// kept after the publication.
type EditionDraft struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Period string `json:"period"`
	// KnownSeq and RulesHash are what the draft was made from; its publication
	// is made from the same.
	KnownSeq  uint64 `json:"known_seq"`
	RulesHash string `json:"rules_hash"`
	// State is EditionDrafted or EditionReturned.
	State  EditionState `json:"state"`
	Blocks EditorBlocks `json:"blocks"`
	// Remark is why a correction is made.
	Remark       string          `json:"remark"`
	Drafted      EditionAct      `json:"drafted"`
	Approved     *EditionAct     `json:"approved"`
	Returns      []EditionRemark `json:"returns"`
	Consultation *Consultation   `json:"consultation"`
}

// EditionFile is a file of an edition and where it is fetched.
type EditionFile struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Path   string `json:"path"`
}

// EditionWithdrawal is the tombstone of an edition; its number stays used.
type EditionWithdrawal struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// EditionObjection is an objection to an announced assessment.
type EditionObjection struct {
	ID   string    `json:"id"`
	Seq  uint64    `json:"seq"`
	At   time.Time `json:"at"`
	Text string    `json:"text"` // "district/xiuwu: …"
}

// EditionStatus is all that is known of an edition.
type EditionStatus struct {
	ID     string       `json:"id"`
	Kind   string       `json:"kind"`
	Period string       `json:"period"`
	Number *int         `json:"number"` // nil in a draft
	State  EditionState `json:"state"`
	// Corrects is the number of the edition that this 更正 corrects.
	Corrects     *int       `json:"corrects"`
	KnownSeq     uint64     `json:"known_seq"`
	RulesHash    string     `json:"rules_hash"`
	PublishedSeq *uint64    `json:"published_seq"`
	PublishedAt  *time.Time `json:"published_at"`
	// Preview is where a draft is read.
	Preview    string             `json:"preview"`
	Files      []EditionFile      `json:"files"`
	Draft      *EditionDraft      `json:"draft"`
	Withdrawn  *EditionWithdrawal `json:"withdrawn"`
	Until      *Date              `json:"announced_until"` // last day of 公示
	Objections []EditionObjection `json:"objections"`
}
