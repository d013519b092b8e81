package deploy

import (
	"milepost/deploy/access"
	"milepost/schemas"
)

// editingRules says who may open and do what on the editor's pages. An act has
// the name that it has over the HTTP interface, so that the audit tells the same
// of both.
func editingRules() []access.Rule {
	const paragraphs = 1 << 20 // three kinds of paragraphs at their longest
	rules := []access.Rule{
		{Pattern: "GET /bulletins/{id}", Needs: schemas.MayRead, Page: true},
		// Departments that are asked about a draft read it; the desk knows them.
		{Pattern: "GET /bulletins/{id}/preview", Needs: schemas.MaySeeLedger, Page: true},
		{Pattern: "GET /bulletins/{id}/{act}", Needs: schemas.MayRead, Page: true},
		{Pattern: "POST /bulletins/{id}/draft", Needs: schemas.MayIssue, MaxBody: paragraphs, Page: true, Act: "edition.draft", Target: "id"},

		{Pattern: "GET /answers", Needs: schemas.MayAnswer, Page: true},
		{Pattern: "GET /answers/{id}", Needs: schemas.MayAnswer, Page: true},
		{Pattern: "POST /answers/{id}", Needs: schemas.MayAnswer, Page: true, Act: "edition.answer", Target: "id"},

		{Pattern: "GET /assessment", Needs: schemas.MayRead, Page: true},
		{Pattern: "GET /assessment/{year}", Needs: schemas.MayRead, Page: true},
		{Pattern: "GET /assessment/{year}/{act}", Needs: schemas.MayRead, Page: true},
		{Pattern: "GET /assessment/{year}/{kind}/{key}", Needs: schemas.MayRead, Page: true},
		{Pattern: "POST /assessment/{year}/finalise", Needs: schemas.MayIssue, Page: true, Act: "assessment.finalise", Target: "year"},
		{Pattern: "POST /assessment/{year}/announce", Needs: schemas.MayIssue, Page: true, Act: "assessment.announce", Target: "year"},
		{Pattern: "POST /assessment/{year}/object", Needs: schemas.MayIssue, Page: true, Act: "assessment.object", Target: "year"},

		{Pattern: "GET /query/dictionary", Needs: schemas.MayRead, Page: true},
	}
	for _, act := range []string{"approve", "return", "publish", "withdraw", "correct", "consult"} {
		rules = append(rules, access.Rule{Pattern: "POST /bulletins/{id}/" + act, Needs: schemas.MayIssue, Page: true, Act: "edition." + act, Target: "id"})
	}
	return append(rules, access.Rule{Pattern: "POST /bulletins/{id}/close", Needs: schemas.MayIssue, Page: true, Act: "edition.consult", Target: "id"})
}
