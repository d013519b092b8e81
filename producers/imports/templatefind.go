package imports

import (
	"fmt"
	"strings"

	"milepost/schemas"
)

// mappingOf reads the mapping of a request, or makes that of the template.
func (i *Importer) mappingOf(q *Request) (*Mapping, error) {
	if len(q.Mapping) > 0 {
		if q.District != "" {
			return nil, &schemas.Error{Code: schemas.Invalid, Field: "district", Value: schemas.Shorten(q.District), Message: "has no effect with a mapping, which names its sender", Hint: "leave one of the two out"}
		}
		return ParseMapping(q.Mapping, i.Rules)
	}
	sender, err := i.senderOf(q)
	if err != nil {
		return nil, err
	}
	return ParseMapping(TemplateMapping(sender, ""), i.Rules)
}

// senderOf tells who answers for sheets without a mapping: whom the request
// names, else the office whose template it is, else the sender's own office,
// else the city.
func (i *Importer) senderOf(q *Request) (string, error) {
	marked, from := "", ""
	for _, f := range q.Files {
		mark, ok := markOf(f.Text)
		switch {
		case !ok:
			continue
		case mark.version > templateVersion:
			return "", &schemas.Error{Code: schemas.Invalid, Field: "file", Value: schemas.Shorten(f.Name), Message: fmt.Sprintf("the template's version %d is newer than this server's, %d", mark.version, templateVersion), Hint: "update the server, or write the template anew"}
		case mark.sender == schemas.CityDistrict:
			continue // made for nobody in particular
		case marked != "" && mark.sender != marked:
			return "", &schemas.Error{Code: schemas.Invalid, Field: "file", Value: schemas.Shorten(f.Name), Message: fmt.Sprintf("is the sheet of %s, and %s that of %s", mark.sender, schemas.Shorten(from), marked), Hint: "import the sheets of different offices one by one"}
		}
		marked, from = mark.sender, f.Name
	}
	switch {
	case q.District != "" && marked != "" && q.District != marked:
		return "", &schemas.Error{Code: schemas.Invalid, Field: "district", Value: schemas.Shorten(q.District), Message: fmt.Sprintf("%s is the sheet of %s", schemas.Shorten(from), marked), Hint: "leave the district out, or take the right sheet"}
	case q.District != "":
		marked = q.District
	case marked == "":
		marked = q.Sender.District
	}
	if marked == "" {
		return schemas.CityDistrict, nil
	}
	if !i.Rules.KnownDistrict(marked) {
		return "", &schemas.Error{Code: schemas.Unknown, Field: "district", Value: schemas.Shorten(marked), Message: "no configured district", Hint: "one of " + strings.Join(i.Rules.DistrictCodes(), ", ")}
	}
	return marked, nil
}

// markOf reads the template's mark of a workbook; false for any other file.
func markOf(raw []byte) (templateMark, bool) {
	if !isWorkbook(raw) {
		return templateMark{}, false
	}
	return readMark(raw)
}
