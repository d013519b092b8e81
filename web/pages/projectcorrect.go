package pages

import (
	"net/http"
	"slices"
	"strings"

	"milepost/schemas"
)

// correct answers GET /projects/{id}/events/{seq}/correct with the form filled
// in as it was sent.
func (p *Pages) correct(w http.ResponseWriter, r *http.Request) error {
	c, err := p.correctionOf(r)
	if err != nil {
		return err
	}
	if err := p.giveAsSent(r, c); err != nil {
		return err
	}
	c.drawCorrection()
	return p.show(w, r, http.StatusOK, "correct", "更正"+c.Name, c)
}

func (p *Pages) correctionOf(r *http.Request) (*eventContent, error) {
	c, err := p.eventOf(r)
	if err == nil {
		err = c.refuseActs()
	}
	if err == nil && c.Correct == "" {
		err = &schemas.Error{Code: schemas.NotFound, Field: "form", Value: c.Event.Type, Message: "no such form", Hint: "begin at the report page"}
	}
	return c, err
}

// sendCorrection answers POST /projects/{id}/events/{seq}/correct: the fact is
// sent anew under an id of its own, and when it was accepted the old event is
// revoked.
func (p *Pages) sendCorrection(w http.ResponseWriter, r *http.Request) error {
	files, err := readFiles(w, r)
	if err != nil {
		return err
	}
	c, err := p.correctionOf(r)
	if err != nil {
		return err
	}
	c.Form = "correct"
	if err := p.fillIn(r, c.reportContent, files); err != nil {
		return err
	}
	c.keep(r, "correction_reason")
	if c.Given["correction_reason"] == "" {
		c.Failed++
		c.Wrong["correction_reason"] = &schemas.Error{Code: schemas.Invalid, Message: "必须填写", Hint: "写明为什么更正"}
	}
	if c.Failed == 0 {
		data, err := c.corrected()
		if err != nil {
			return err
		}
		reason := "更正：" + c.Given["correction_reason"]
		again := draft{what: c.ProjectName + " " + c.Name + "（更正）", subject: c.ProjectID, typ: schemas.Type(c.Event.Type), data: data}
		revocation := c.revocation(reason, c.Today.String())
		revocation.only = true
		if err := p.sendDrafts(r, c.reportContent, []draft{again, revocation}); err != nil {
			return err
		}
	}
	if c.Failed == 0 {
		c.Revoked, c.Acts = true, false
		return p.show(w, r, http.StatusOK, "event", c.Name, c)
	}
	c.drawCorrection()
	return p.show(w, r, c.status(), "correct", "更正"+c.Name, c)
}

func (c *eventContent) drawCorrection() {
	form, _ := formOfType(schemas.Type(c.Event.Type))
	c.Shown = &shownForm{Name: "更正" + c.Name, Action: c.Correct}
	c.drawFields(c.Shown, &form)
	c.Shown.Fields = append(c.Shown.Fields, shownField{ID: "f-why", Name: "correction_reason", Label: "更正原因", Control: "area", Wide: true, Required: true, Max: 1000, Value: c.Given["correction_reason"], Wrong: c.Wrong["correction_reason"]})
}

// corrected is what was sent with what the form says instead: members that the
// form does not know stay.
func (c *eventContent) corrected() (map[string]any, error) {
	sent, err := decodeData(c.Event.Data)
	if err != nil {
		return nil, err
	}
	data := c.data(c.fields)
	for name, value := range sent {
		i := slices.IndexFunc(c.fields, func(f formField) bool { head, _, _ := strings.Cut(f.Name, "."); return head == name })
		if i < 0 {
			data[name] = value
			continue
		}
		switch c.fields[i].Kind {
		case inputPlans: // years that the form does not show
			years, _ := value.(map[string]any)
			for year, plan := range years {
				if !slices.Contains(c.fields[i].inputs(c.Today), name+"."+year) {
					put(data, name+"."+year, plan)
				}
			}
		case inputEvidence: // addresses behind the first
			list, _ := data[name].([]any)
			if more := addressesOf(value); len(more) > 1 {
				data[name] = append(list, more[1:]...)
			}
		}
	}
	return data, nil
}

// giveAsSent fills the form in as the event was sent.
func (p *Pages) giveAsSent(r *http.Request, c *eventContent) error {
	sent, err := decodeData(c.Event.Data)
	if err != nil {
		return err
	}
	for _, f := range c.fields {
		if f.Kind == inputEvidence {
			p.giveEvidence(r, c, f.Name, sent[f.Name])
			continue
		}
		for _, name := range f.inputs(c.Today) {
			c.Given[name] = memberText(at(sent, name))
		}
	}
	return nil
}

// giveEvidence gives back the files, and the first address.
func (p *Pages) giveEvidence(r *http.Request, c *eventContent, name string, value any) {
	list, _ := value.([]any)
	for _, one := range list {
		proof, _ := one.(map[string]any)
		sum, ours := strings.CutPrefix(memberText(proof["uri"]), evidencePath)
		if !ours || p.Evidence == nil {
			continue
		}
		if file, err := p.Evidence.Find(r.Context(), sum); err == nil { // a file that is gone cannot be sent again
			c.kept = append(c.kept, file)
		}
	}
	if addresses := addressesOf(value); len(addresses) > 0 {
		proof, _ := addresses[0].(map[string]any)
		c.Given[name], c.Given[name+"_note"] = memberText(proof["uri"]), memberText(proof["note"])
	}
}

// addressesOf gives the proofs that are no files of this server.
func addressesOf(value any) []any {
	list, _ := value.([]any)
	return slices.DeleteFunc(slices.Clone(list), func(one any) bool {
		proof, _ := one.(map[string]any)
		return strings.HasPrefix(memberText(proof["uri"]), evidencePath)
	})
}
