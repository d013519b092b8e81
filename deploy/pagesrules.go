package deploy

import (
	"milepost/deploy/access"
	"milepost/schemas"
)

// pageRules says who may open which page.
func pageRules() []access.Rule {
	const form = 1 << 20 // a table of many projects
	return append(editingRules(), []access.Rule{
		{Pattern: "GET /assets/{name}"},
		{Pattern: "GET /login", Page: true},
		{Pattern: "POST /login", Page: true},
		{Pattern: "POST /logout", Page: true},

		{Pattern: "GET /{$}", Needs: schemas.MaySeeLedger, Page: true},
		{Pattern: "GET /board", Needs: schemas.MaySeeLedger, Page: true},
		{Pattern: "GET /live", Needs: schemas.MaySeeLedger, Page: true},
		{Pattern: "GET /ledger", Needs: schemas.MaySeeLedger, Page: true},
		{Pattern: "GET /ledger/export", Needs: schemas.MaySeeLedger, Page: true},
		{Pattern: "GET /projects/{id}", Needs: schemas.MaySeeLedger, Page: true},
		{Pattern: "GET /projects/{id}/events/{seq}", Needs: schemas.MaySeeLedger, Page: true},
		{Pattern: "POST /projects/{id}/events/{seq}/revoke", Needs: schemas.MayPublish, Page: true},
		{Pattern: "GET /projects/{id}/events/{seq}/correct", Needs: schemas.MayPublish, Page: true},
		{Pattern: "POST /projects/{id}/events/{seq}/correct", Needs: schemas.MayPublish, Upload: true, Page: true},

		{Pattern: "GET /report", Needs: schemas.MayPublish, Page: true},
		{Pattern: "POST /report/progress", Needs: schemas.MayPublish, MaxBody: form, Page: true},
		{Pattern: "GET /report/{form}", Needs: schemas.MayPublish, Page: true},
		{Pattern: "POST /report/{form}", Needs: schemas.MayPublish, Upload: true, Page: true}, // evidence comes with it
		{Pattern: "GET /report/import", Needs: schemas.MayPublish, Page: true},
		{Pattern: "POST /report/import", Needs: schemas.MayPublish, Upload: true, Page: true},
		{Pattern: "GET /report/import/{id}", Needs: schemas.MayPublish, Page: true},
		{Pattern: "POST /report/import/{id}/confirm", Needs: schemas.MayPublish, Page: true},
		{Pattern: "GET /evidence/{sha256}", Needs: schemas.MaySeeLedger, Page: true},

		{Pattern: "GET /admin", Needs: schemas.MayAdminister, Page: true},
		{Pattern: "GET /admin/{what}", Needs: schemas.MayAdminister, Page: true},
		{Pattern: "GET /admin/dead-letters/{seq}", Needs: schemas.MayAdminister, Page: true},
		{Pattern: "POST /admin/tokens", Needs: schemas.MayAdminister, Page: true, Act: "token.create"},
		{Pattern: "POST /admin/tokens/{id}/revoke", Needs: schemas.MayAdminister, Page: true, Act: "token.revoke", Target: "id"},
		{Pattern: "POST /admin/deliveries/{id}/again", Needs: schemas.MayAdminister, Page: true, Act: "delivery.again", Target: "id"},
		{Pattern: "POST /admin/dead-letters/{seq}/resend", Needs: schemas.MayAdminister, MaxBody: form, Page: true, Act: "deadletter.resend", Target: "seq"},
		{Pattern: "POST /admin/dead-letters/{seq}/discard", Needs: schemas.MayAdminister, MaxBody: form, Page: true, Act: "deadletter.discard", Target: "seq"},

		{Pattern: "GET /bulletins", Needs: schemas.MayRead, Page: true},
		{Pattern: "GET /query", Needs: schemas.MayRead, Page: true},
		{Pattern: "POST /query", Needs: schemas.MayRead, MaxBody: form, Page: true},
	}...)
}
