package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"milepost/schemas"
)

// method is the answer to GET /v1/method.
type method struct {
	On schemas.Date `json:"on"`
	// ValidFrom is null for the rules that hold from the beginning, ValidTo for
	// those that hold until others are configured.
	ValidFrom *schemas.Date `json:"valid_from"`
	ValidTo   *schemas.Date `json:"valid_to"`
	// Hash is the SHA-256 of the bytes of Rules; editions name their rules by it.
	Hash  string          `json:"hash"`
	Rules json.RawMessage `json:"rules"`
	// Assessment are the numbers of the year-end assessment, given or not.
	Assessment schemas.AssessmentRules `json:"assessment"`
}

// NewMethod serves GET /v1/method?on=DATE: the rules of a day, by default
// today's, with districts, directory and 七个一, and the days in which they
// hold.
func NewMethod(book *schemas.RuleBook, now func() time.Time) http.Handler {
	return answer(func(w http.ResponseWriter, r *http.Request) error {
		on := schemas.DateOf(now())
		if given := r.FormValue("on"); given != "" {
			var err error
			if on, err = schemas.ParseDate(given); err != nil {
				return inField(err, "on")
			}
		}
		m, err := methodOn(book, on)
		if err != nil {
			return err
		}
		return writeJSON(w, m)
	})
}

func methodOn(book *schemas.RuleBook, on schemas.Date) (*method, error) {
	rules := book.On(on)
	text, err := json.Marshal(rules)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	m := &method{On: on, Hash: hex.EncodeToString(sum[:]), Rules: text, Assessment: rules.Assessing()}
	sets := book.Sets()
	for i, set := range sets {
		if set.Rules != rules {
			continue
		}
		if i > 0 {
			m.ValidFrom = &sets[i].From
		}
		if i+1 < len(sets) {
			last := sets[i+1].From - 1
			m.ValidTo = &last
		}
	}
	return m, nil
}
