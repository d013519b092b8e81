package schemas

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Entry is a department or a lead in the directory, from From to To, both
// included; without one of them it has no beginning or no end.
type Entry struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Aliases []string `json:"aliases,omitempty"`
	From    Date     `json:"from,omitzero"`
	To      Date     `json:"to,omitzero"`
}

// ValidOn tells whether the entry holds on the day.
func (e *Entry) ValidOn(day Date) bool { return e.From <= day && (e.To == 0 || day <= e.To) }

// Overlaps tells whether there is a day on which both entries hold.
func (e *Entry) Overlaps(o *Entry) bool {
	return (e.To == 0 || o.From <= e.To) && (o.To == 0 || e.From <= o.To)
}

func (e *Entry) equal(o *Entry) bool {
	return e.ID == o.ID && e.Name == o.Name && slices.Equal(e.Aliases, o.Aliases) && e.From == o.From && e.To == o.To
}

// Words lists what the entry may be called by, each once: its name, its aliases
// and its id.
func (e *Entry) Words() []string {
	words := make([]string, 0, len(e.Aliases)+2)
	for _, word := range append(append([]string{e.Name}, e.Aliases...), e.ID) {
		if word != "" && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words
}

// Directory finds departments or leads by any of their names (specification
// §3). It never changes: it may be copied, compared by Equal, and used from
// several goroutines. In JSON it is the list of its entries. The zero value is
// empty.
type Directory struct{ index *directoryIndex }

type directoryIndex struct {
	entries []Entry
	// byWord gives the entries that a word stands for, in their order.
	byWord map[string][]int
	// spellings are all words, for the search of the nearest.
	spellings []spelling
}

type spelling struct {
	runes []rune
	entry int
}

// NewDirectory makes a directory of the entries.
func NewDirectory(entries []Entry) Directory {
	if len(entries) == 0 {
		return Directory{}
	}
	x := &directoryIndex{entries: slices.Clone(entries), byWord: make(map[string][]int, 2*len(entries))}
	for i := range x.entries {
		e := &x.entries[i]
		e.Aliases = slices.Clone(e.Aliases)
		for _, word := range e.Words() {
			x.byWord[word] = append(x.byWord[word], i)
			x.spellings = append(x.spellings, spelling{[]rune(strings.ToLower(word)), i})
		}
	}
	return Directory{x}
}

// Entries gives a copy of the entries.
func (d Directory) Entries() []Entry {
	if d.index == nil {
		return nil
	}
	return slices.Clone(d.index.entries)
}

// IsZero tells whether the directory is empty.
func (d Directory) IsZero() bool { return d.index == nil }

// Equal tells whether both have the same entries in the same order.
func (d Directory) Equal(o Directory) bool {
	return slices.EqualFunc(d.Entries(), o.Entries(), func(a, b Entry) bool { return a.equal(&b) })
}

// MarshalJSON writes the list of entries.
func (d Directory) MarshalJSON() ([]byte, error) { return json.Marshal(d.Entries()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Directory) UnmarshalJSON(text []byte) error {
	var entries []Entry
	if err := json.Unmarshal(text, &entries); err != nil {
		return err
	}
	*d = NewDirectory(entries)
	return nil
}

// Find gives the entry that a name, an alias or an id stands for on the day:
// the one that is valid then, else the one whose time is nearest to the day
// (Entry.ValidOn tells which). It gives nil for a name that nobody has; the
// entry must not be changed.
func (d Directory) Find(word string, day Date) *Entry {
	if d.index == nil {
		return nil
	}
	var found *Entry
	for _, i := range d.index.byWord[word] {
		e := &d.index.entries[i]
		if e.ValidOn(day) {
			return e
		}
		if found == nil || e.distance(day) < found.distance(day) {
			found = e
		}
	}
	return found
}

// distance counts the days between the day and the entry's time.
func (e *Entry) distance(day Date) Date {
	if day < e.From {
		return e.From - day
	}
	return day - e.To
}

// NameOn gives the directory's name of what the word stands for on the day; a
// word that nobody has stands for itself.
func (d Directory) NameOn(word string, day Date) string {
	if e := d.Find(word, day); e != nil {
		return e.Name
	}
	return word
}

const (
	// maxNearest is how many names a hint carries.
	maxNearest = 3
	// longestSpelling bounds the work on a stranger's text; names are shorter.
	longestSpelling = 60
)

// Nearest gives the names, at most three, that a word nobody has was most
// likely meant to be: those that contain it or stand in it first, then those
// with the fewest characters to insert, delete or replace.
func (d Directory) Nearest(word string) []string {
	runes := []rune(strings.ToLower(word))
	if d.index == nil || len(runes) > longestSpelling {
		return nil
	}
	type candidate struct {
		name      string
		contained bool
		distance  int
	}
	var near []candidate
	for _, s := range d.index.spellings {
		longer, shorter := max(len(runes), len(s.runes)), min(len(runes), len(s.runes))
		c := candidate{name: d.index.entries[s.entry].Name, contained: shorter >= 2 && (containsRunes(runes, s.runes) || containsRunes(s.runes, runes))}
		switch {
		case c.contained:
			c.distance = longer - shorter
		case 2*(longer-shorter) > longer:
			continue
		default:
			if c.distance = editDistance(runes, s.runes); 2*c.distance > longer {
				continue
			}
		}
		near = append(near, c)
	}
	slices.SortStableFunc(near, func(a, b candidate) int {
		if a.contained != b.contained {
			if a.contained {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.distance, b.distance)
	})
	var names []string
	for _, c := range near {
		if !slices.Contains(names, c.name) && len(names) < maxNearest {
			names = append(names, c.name)
		}
	}
	return names
}

func containsRunes(text, part []rune) bool {
	for i := 0; i+len(part) <= len(text); i++ {
		if slices.Equal(text[i:i+len(part)], part) {
			return true
		}
	}
	return false
}
