package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"milepost/schemas"
)

// draft is an event that a form makes.
type draft struct {
	what    string // for the receipt
	subject string
	typ     schemas.Type
	data    map[string]any
	row     *progressRow
	// only is sent only when the one before was accepted.
	only bool
}

// digest tells the content of drafts apart.
func (c *reportContent) digest(drafts ...draft) (string, error) {
	hash := sha256.New()
	for _, d := range drafts {
		text, err := json.Marshal([]any{c.Office.Source, c.Form, d.subject, d.data})
		if err != nil {
			return "", err
		}
		hash.Write(text)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}

// events makes the events of the drafts. Their ids come from the form's number
// and what they say, so that the same form makes the same events.
func (c *reportContent) events(now time.Time, nonce string, drafts []draft) ([][]byte, error) {
	var raws [][]byte
	for _, d := range drafts {
		digest, err := c.digest(d)
		if err != nil {
			return nil, err
		}
		raw, err := json.Marshal(map[string]any{
			"specversion": "1.0", "id": "page-" + nonce + "-" + digest, "source": c.Office.Source, "type": d.typ, "subject": d.subject,
			"time": now.In(schemas.Location).Format(time.RFC3339), "district": c.Office.District, "datacontenttype": "application/json", "data": d.data,
		})
		if err != nil {
			return nil, err
		}
		raws = append(raws, raw)
	}
	return raws, nil
}

// progressDrafts makes an event of each row whose amount was changed.
func (c *reportContent) progressDrafts(r *http.Request) []draft {
	var drafts []draft
	for _, row := range c.Rows {
		amount, note := plainNumber(r.FormValue("invested-"+row.ProjectID)), strings.TrimSpace(r.FormValue("note-"+row.ProjectID))
		if amount == "" || row.Reported && amount == row.Invested && note == "" {
			continue
		}
		data := map[string]any{"month": c.Month.String(), "invested_ytd": number(amount)}
		if note != "" {
			data["note"] = note
		}
		row.Invested, row.Note = amount, note
		drafts = append(drafts, draft{row.Name + " " + month(c.Month) + "累计 " + amount + " 万元", row.ProjectID, schemas.ProgressReported, data, row, false})
	}
	return drafts
}

func (c *reportContent) nameOf(id string) string {
	for _, s := range c.projects {
		if s.ProjectID == id {
			return s.Name
		}
	}
	return id
}

// plainNumber takes out what people put between digits.
func plainNumber(text string) string {
	return strings.NewReplacer(",", "", "\uff0c", "", " ", "", "\u3000", "").Replace(strings.TrimSpace(text))
}

// number gives a JSON number where the text is one; anything else stays text,
// which the schema refuses in its own words.
func number(text string) any {
	if json.Valid([]byte(text)) && strings.ContainsAny(text[:1], "-0123456789") {
		return json.Number(text)
	}
	return text
}
