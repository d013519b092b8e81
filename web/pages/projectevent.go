package pages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"milepost/schemas"
)

// eventContent is what the page of one event shows.
type eventContent struct {
	*reportContent // of whoever may revoke it; else only what every page has
	ProjectID      string
	ProjectName    string
	Event          StoredEvent
	Name           string
	OfficeName     string
	Members        []member
	Revoked        bool
	Acts           bool   // whether it may be revoked here
	Correct        string // address of the form that corrects it
	WhyNot         string
	Back           string
}

// member is a member of an event's data, in words.
type member struct {
	Name, Value, Link string
}

// projectEvent answers GET /projects/{id}/events/{seq}.
func (p *Pages) projectEvent(w http.ResponseWriter, r *http.Request) error {
	c, err := p.eventOf(r)
	if err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "event", c.Name, c)
}

// eventOf finds the event that a request names, and whether the one who asks
// may revoke it.
func (p *Pages) eventOf(r *http.Request) (*eventContent, error) {
	s, err := p.now(r.Context(), 0)
	if err != nil {
		return nil, err
	}
	known, err := p.Knowledge.Watermark(r.Context())
	if err != nil {
		return nil, err
	}
	id, given := r.PathValue("id"), r.PathValue("seq")
	events, err := p.Archive.History(r.Context(), id, known)
	if err != nil {
		return nil, err
	}
	seq, err := strconv.ParseUint(given, 10, 64)
	i := slices.IndexFunc(events, func(e StoredEvent) bool { return e.Seq == seq })
	if err != nil || i < 0 {
		return nil, &schemas.Error{Code: schemas.NotFound, Field: "seq", Value: schemas.Shorten(given), Message: "no such event", Hint: "the project's page lists them"}
	}
	e := events[i]
	c := &eventContent{ProjectID: id, ProjectName: id, Event: e, Name: typeNames[schemas.Type(e.Type)], Back: "/projects/" + url.PathEscape(id)}
	if standing := s.standing(id); standing != nil {
		c.ProjectName = standing.Name
	}
	c.OfficeName = officeName(s.rules, e.District)
	c.Revoked = revokedBy(events)[schemas.EventID(e.Source, e.ID)]
	if c.Members, err = membersOf(&e, s.rules); err != nil {
		return nil, err
	}
	p.mayRevoke(r, c, s)
	return c, nil
}

func officeName(rules *schemas.Rules, district string) string {
	if district == schemas.CityDistrict {
		return "市级"
	}
	return rules.DistrictName(district)
}

// mayRevoke finds out whether the one who asks may revoke the event, and as
// whom: the same source, or the city office (specification §3).
func (p *Pages) mayRevoke(r *http.Request, c *eventContent, s *snapshot) {
	office := office{District: c.Event.District, Name: c.OfficeName, Source: c.Event.Source}
	principal := schemas.PrincipalOf(r.Context())
	city := false
	switch {
	case p.Publisher == nil:
		c.WhyNot = "此服务不接收填报。"
	case c.Revoked:
		c.WhyNot = "这条记录已经撤销。"
	case schemas.Type(c.Event.Type) == schemas.EventRevoked:
		c.WhyNot = "撤销不能再撤销：把事实重新填报一次即可。"
	case principal == nil || principal.Role == schemas.RoleAdmin:
		city = c.Event.District == schemas.CityDistrict
	case principal.Role != schemas.RoleOffice:
		c.WhyNot = "只有报送单位和市级可以撤销。"
	case slices.Contains(principal.Districts, c.Event.District) && principal.AdmitsSource(c.Event.Source, c.Event.District) == nil:
		city = c.Event.District == schemas.CityDistrict
	case slices.Contains(principal.Districts, schemas.CityDistrict):
		city = true
		office.District, office.Name, office.Source = schemas.CityDistrict, "市级", schemas.SourceOf(schemas.CityDistrict)
		if principal.SourcePrefix != "" {
			office.Source = principal.SourcePrefix
		}
	default:
		c.WhyNot = "只有报送单位和市级可以撤销。"
	}
	if c.WhyNot != "" {
		return
	}
	c.Acts = true
	c.reportContent = newReport(schemas.DateOf(p.Now()), s.rules)
	c.Office = office
	c.departments, c.leads = namesOf(s)
	form, found := formOfType(schemas.Type(c.Event.Type))
	if !found {
		return
	}
	c.fields = form.of(city || c.Event.District == schemas.CityDistrict)
	c.Correct = fmt.Sprintf("%s/events/%d/correct", c.Back, c.Event.Seq)
}

// Answers tells whether the page answers a form.
func (c *eventContent) Answers() bool { return c.reportContent != nil }

// refuseActs gives the error of one who may not revoke.
func (c *eventContent) refuseActs() error {
	if c.Acts {
		return nil
	}
	return &schemas.Error{Code: schemas.Forbidden, Field: "data.revokes.source", Value: schemas.Shorten(c.Event.Source), Message: c.WhyNot, Hint: "从项目页进入自己报送的记录"}
}

// revoke answers POST /projects/{id}/events/{seq}/revoke.
func (p *Pages) revoke(w http.ResponseWriter, r *http.Request) error {
	c, err := p.eventOf(r)
	if err == nil {
		err = c.refuseActs()
	}
	if err != nil {
		return err
	}
	c.Form = "revoke"
	c.keep(r, "reason", "decided_on")
	c.fields = []formField{text("reason", "撤销原因", ""), dateOf("decided_on", "决定日期", "")}
	if err := p.sendDrafts(r, c.reportContent, []draft{c.revocation(c.Given["reason"], c.Given["decided_on"])}); err != nil {
		return err
	}
	if c.Failed == 0 {
		c.Revoked, c.Acts = true, false
	}
	return p.show(w, r, c.status(), "event", c.Name, c)
}

// revocation makes the event that revokes.
func (c *eventContent) revocation(reason, decided string) draft {
	data := map[string]any{"revokes": map[string]string{"source": c.Event.Source, "id": c.Event.ID}}
	for name, value := range map[string]string{"reason": reason, "decided_on": decided} {
		if value != "" {
			data[name] = value
		}
	}
	return draft{what: c.ProjectName + " 撤销" + c.Name + "（流序号 " + strconv.FormatUint(c.Event.Seq, 10) + "）", subject: c.ProjectID, typ: schemas.EventRevoked, data: data}
}

func decodeData(raw json.RawMessage) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var data map[string]any
	if err := decoder.Decode(&data); err != nil {
		return nil, fmt.Errorf("the data of a stored event does not read: %w", err)
	}
	return data, nil
}

// at finds a member by its path.
func at(data map[string]any, path string) any {
	for {
		head, rest, nested := strings.Cut(path, ".")
		if !nested {
			return data[head]
		}
		inner, ok := data[head].(map[string]any)
		if !ok {
			return nil
		}
		data, path = inner, rest
	}
}

// memberText writes a member as a form has it.
func memberText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		words := make([]string, 0, len(v))
		for _, one := range v {
			words = append(words, memberText(one))
		}
		return strings.Join(words, "、")
	case map[string]any:
		var words []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			words = append(words, name+" "+memberText(v[name]))
		}
		return strings.Join(words, "，")
	}
	return fmt.Sprint(value)
}

// membersOf lists what an event says, in the words of its form.
func membersOf(e *StoredEvent, rules *schemas.Rules) ([]member, error) {
	data, err := decodeData(e.Data)
	if err != nil {
		return nil, err
	}
	form, _ := formOfType(schemas.Type(e.Type))
	if schemas.Type(e.Type) == schemas.EventRevoked {
		form.Fields = []formField{text("reason", "撤销原因", ""), dateOf("decided_on", "决定日期", ""), line("revokes", "撤销的记录", "")}
	}
	var members []member
	said := map[string]bool{}
	for _, f := range form.Fields {
		head, _, _ := strings.Cut(f.Name, ".")
		said[head] = true
		value := at(data, f.Name)
		if value == nil {
			continue
		}
		members = append(members, memberOf(&f, value, rules)...)
	}
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if !said[name] && data[name] != nil {
			members = append(members, member{Name: name, Value: memberText(data[name])})
		}
	}
	return members, nil
}

func memberOf(f *formField, value any, rules *schemas.Rules) []member {
	said := memberText(value)
	one := func(text string) []member { return []member{{Name: f.Label, Value: text}} }
	switch f.Kind {
	case inputMilestone:
		return one(milestoneWord(said))
	case inputCategory:
		return one(categoryNames[said])
	case inputDistrict:
		return one(officeName(rules, said))
	case inputFlag, inputWithheld:
		words := map[string]string{"true": "是", "false": "否"}
		if f.Kind == inputWithheld {
			words = map[string]string{"true": "不公开", "false": "公开"}
		}
		return one(words[said])
	case inputEvidence:
		var members []member
		list, _ := value.([]any)
		for _, item := range list {
			proof, _ := item.(map[string]any)
			uri, note := memberText(proof["uri"]), memberText(proof["note"])
			if note == "" {
				note = uri
			}
			members = append(members, member{Name: f.Label, Value: note, Link: linkOf(uri)})
		}
		return members
	}
	return one(said)
}
