package deploy

import (
	"milepost/deploy/access"
	"milepost/schemas"
)

// accessRules says who may use which route; what is not listed is an admin's.
func accessRules() []access.Rule {
	const statement = 1 << 20 // the routes with larger bodies bound them by themselves
	return append(pageRules(), []access.Rule{
		{Pattern: "GET /healthz"},
		{Pattern: "GET /readyz"},
		{Pattern: "GET /metrics", Needs: schemas.MayRead},
		{Pattern: "GET /v1/openapi.json"},
		{Pattern: "GET /v1/openapi.yaml"},
		{Pattern: "GET /v1/schemas"},
		{Pattern: "GET /v1/schemas/"},

		{Pattern: "/v1/events", Needs: schemas.MayPublish, Upload: true},
		{Pattern: "/v1/imports", Needs: schemas.MayPublish, Upload: true},
		{Pattern: "/v1/imports/", Needs: schemas.MayPublish, Upload: true},
		{Pattern: "POST /v1/evidence", Needs: schemas.MayPublish, Upload: true},
		{Pattern: "GET /v1/evidence/{sha256}", Needs: schemas.MaySeeLedger},

		{Pattern: "GET /v1/ledger", Needs: schemas.MaySeeLedger},
		{Pattern: "GET /v1/watermark", Needs: schemas.MaySeeLedger},
		{Pattern: "GET /v1/method", Needs: schemas.MaySeeLedger},

		{Pattern: "GET /v1/bulletins/{period}", Needs: schemas.MayRead},
		{Pattern: "GET /v1/assessments/{year}", Needs: schemas.MayRead},
		{Pattern: "POST /v1/query", Needs: schemas.MayRead, MaxBody: statement},
		{Pattern: "GET /v1/dead-letters", Needs: schemas.MayRead},
		{Pattern: "GET /v1/dead-letters/{seq}", Needs: schemas.MayRead},
		{Pattern: "GET /v1/audit", Needs: schemas.MayRead},
		{Pattern: "GET /v1/schedule", Needs: schemas.MayRead},

		{Pattern: "GET /v1/deliveries", Needs: schemas.MayIssue},
		{Pattern: "POST /v1/deliveries/{id}/again", Needs: schemas.MayIssue, Act: "delivery.again", Target: "id"},

		{Pattern: "POST /v1/bulletins/{period}", Needs: schemas.MayIssue, Act: "bulletin.publish", Target: "period"},
		{Pattern: "POST /v1/assessments/{year}", Needs: schemas.MayIssue, Act: "assessment.finalise", Target: "year"},
		{Pattern: "POST /v1/assessments/{year}/announce", Needs: schemas.MayIssue, Act: "assessment.announce", Target: "year"},
		{Pattern: "POST /v1/assessments/{year}/object", Needs: schemas.MayIssue, Act: "assessment.object", Target: "year"},

		{Pattern: "GET /v1/editions", Needs: schemas.MayRead},
		{Pattern: "GET /v1/editions/{id}", Needs: schemas.MayRead},
		{Pattern: "GET /v1/editions/{id}/files/{name}", Needs: schemas.MayRead},
		// Departments that are asked about a draft read it; the handler knows them.
		{Pattern: "GET /v1/editions/{id}/preview", Needs: schemas.MaySeeLedger},
		{Pattern: "POST /v1/editions/{id}/draft", Needs: schemas.MayIssue, MaxBody: statement, Act: "edition.draft", Target: "id"},
		{Pattern: "POST /v1/editions/{id}/approve", Needs: schemas.MayIssue, Act: "edition.approve", Target: "id"},
		{Pattern: "POST /v1/editions/{id}/return", Needs: schemas.MayIssue, Act: "edition.return", Target: "id"},
		{Pattern: "POST /v1/editions/{id}/publish", Needs: schemas.MayIssue, Act: "edition.publish", Target: "id"},
		{Pattern: "POST /v1/editions/{id}/withdraw", Needs: schemas.MayIssue, Act: "edition.withdraw", Target: "id"},
		{Pattern: "POST /v1/editions/{id}/correct", Needs: schemas.MayIssue, MaxBody: statement, Act: "edition.correct", Target: "id"},
		{Pattern: "POST /v1/editions/{id}/consult", Needs: schemas.MayIssue, Act: "edition.consult", Target: "id"},
		{Pattern: "POST /v1/editions/{id}/answer", Needs: schemas.MayAnswer, Act: "edition.answer", Target: "id"},

		{Pattern: "POST /v1/dead-letters/{seq}/resend", Needs: schemas.MayAdminister, MaxBody: statement, Act: "deadletter.resend", Target: "seq"},
		{Pattern: "POST /v1/dead-letters/{seq}/discard", Needs: schemas.MayAdminister, MaxBody: statement, Act: "deadletter.discard", Target: "seq"},
		{Pattern: "POST /v1/replay", Needs: schemas.MayAdminister, Act: "replay"},
		{Pattern: "GET /v1/archive", Needs: schemas.MayAdminister},
		{Pattern: "POST /v1/archive", Needs: schemas.MayAdminister, Act: "archive"},
		{Pattern: "POST /v1/archive/verify", Needs: schemas.MayAdminister},
		{Pattern: "GET /v1/doctor", Needs: schemas.MayAdminister},
		{Pattern: "POST /v1/backup", Needs: schemas.MayAdminister, Act: "backup"},
		{Pattern: "GET /v1/tokens", Needs: schemas.MayAdminister},
		{Pattern: "POST /v1/tokens", Needs: schemas.MayAdminister, Act: "token.create"},
		{Pattern: "POST /v1/tokens/{id}/revoke", Needs: schemas.MayAdminister, Act: "token.revoke", Target: "id"},
	}...)
}
