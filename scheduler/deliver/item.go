package deliver

import (
	"context"
	"time"
)

// Class says what kind of thing is delivered.
type Class string

// The classes.
const (
	// EditionClass is a published bulletin or assessment.
	EditionClass Class = "edition"
	// AlertClass tells people of what happened between bulletins.
	AlertClass Class = "alert"
	// ReminderClass asks offices for missing reports (催报).
	ReminderClass Class = "reminder"
	// NoticeClass tells of a target that fails.
	NoticeClass Class = "notice"
	// WithdrawalClass tells who was given an edition that it was withdrawn (撤回).
	WithdrawalClass Class = "withdrawal"
)

// Edition is a published bulletin or assessment, as far as deliveries need to
// know it.
type Edition struct {
	// ID is what people call it by in commands.
	ID          string
	Kind        string // of the period, or "assessment"
	Period      string
	Number      int // 第 n 期
	Title       string
	PublishedAt time.Time
	// Withdrawn editions are not delivered any more; who was given one is told so.
	Withdrawn bool
	// Withdrawal is what is told; nil while the edition stands.
	Withdrawal *Withdrawal
}

// Editions are what was published.
type Editions interface {
	// Published lists the editions that may still have to be delivered, the
	// oldest first: at least those of the last twelve months.
	Published(ctx context.Context) ([]Edition, error)
	// Edition gives one of any age, and an error of code NotFound when there is
	// none.
	Edition(ctx context.Context, id string) (Edition, error)
	// Content gives what is sent of it: the key figures and the files of the
	// edition ("official" or "media") in the formats. Asked twice it gives the
	// same bytes.
	Content(ctx context.Context, id, edition string, formats []string) (*Content, error)
}

// Content is what is sent of an edition.
type Content struct {
	Title   string
	Figures []Figure
	Files   []File
}

// Figure is a key figure in words, such as 项目总数 and 120 个.
type Figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// File is a file of an edition.
type File struct {
	Name      string
	MediaType string
	Content   []byte
}

// Letter is a message that is no edition: an alert, a reminder or a notice. It
// is stored until it is delivered, hence its limit.
type Letter struct {
	// ID is unique; posting a second letter under a used one changes nothing.
	ID    string `json:"id"`
	Class Class  `json:"class"`
	// Period is the day or month that it is about.
	Period string `json:"period,omitempty"`
	Title  string `json:"title"`
	// Lines are its text, a paragraph each.
	Lines     []string  `json:"lines"`
	Recipient Recipient `json:"recipient"`
}

// The limits of a letter, in bytes.
const (
	maxLetterText = 48 << 10
	maxLetterLine = 1000
)

// shortened gives the letter with the lines that fit.
func (l Letter) shortened() Letter {
	lines := make([]string, len(l.Lines))
	for i, line := range l.Lines {
		lines[i] = cut(line, maxLetterLine)
	}
	l.Title, l.Lines = cut(l.Title, maxLetterLine), fitting(lines, maxLetterText)
	return l
}

// Recipient is the person or office that a letter is for; empty: whoever reads
// the target.
type Recipient struct {
	Name string `json:"name,omitempty"`
	// Emails replace the recipients of an e-mail target.
	Emails []string `json:"emails,omitempty"`
	// Mobiles are mentioned by robots.
	Mobiles []string `json:"mobiles,omitempty"`
}

// Message is what a target gets.
type Message struct {
	// Key is the same for every attempt to deliver the same thing to the same
	// target: receivers can tell a repetition by it.
	Key    string
	ID     string
	Class  Class
	Kind   string
	Period string
	Number int
	Title  string
	// Figures and Files are those of an edition, Lines those of a letter.
	Figures   []Figure
	Lines     []string
	Files     []File
	Link      string
	Recipient Recipient
	// At is when the attempt begins.
	At time.Time
}

// Sender is a target's way of sending.
type Sender interface {
	// Send delivers the message, or tells why not; see Permanent and
	// RetryAfter. Its errors hold no secret.
	Send(ctx context.Context, m *Message) error
}

// Target is somewhere to deliver to.
type Target struct {
	Name string
	// Kinds are those of the editions that are delivered here; none: all.
	Kinds []string
	// Edition is "official" or "media".
	Edition string
	Formats []string
	// LettersOnly targets get no editions.
	LettersOnly bool
	Sender      Sender
}

// text gives the message as plain paragraphs: figures or lines, files, link.
func (m *Message) text() []string {
	lines := make([]string, 0, len(m.Figures)+len(m.Lines)+1)
	for _, f := range m.Figures {
		lines = append(lines, f.Name+":"+f.Value)
	}
	lines = append(lines, m.Lines...)
	return lines
}

// fitting gives the first lines whose bytes stay within the limit, and says how
// many are left out.
func fitting(lines []string, limit int) []string {
	const note = 64 // bytes of the last line
	total := 0
	for i, line := range lines {
		total += len(line) + 2
		last := i == len(lines)-1
		if total <= limit-note || last && total <= limit {
			continue
		}
		// The line before may have to go as well, for the note.
		return append(lines[:i:i], leftOut(len(lines)-i))
	}
	return lines
}
