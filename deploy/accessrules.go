package deploy

import (
	"milepost/deploy/access"
	"milepost/schemas"
)

// accessRules says who may use which route; what is not listed is an admin's.
func accessRules() []access.Rule {
	const statement = 1 << 20 // the routes with larger bodies bound them by themselves
	return []access.Rule{
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

		{Pattern: "GET /v1/ledger", Needs: schemas.MaySeeLedger},
		{Pattern: "GET /v1/watermark", Needs: schemas.MaySeeLedger},
		{Pattern: "GET /v1/method", Needs: schemas.MaySeeLedger},

		{Pattern: "GET /v1/bulletins/{period}", Needs: schemas.MayRead},
		{Pattern: "GET /v1/assessments/{year}", Needs: schemas.MayRead},
		{Pattern: "POST /v1/query", Needs: schemas.MayRead, MaxBody: statement},
		{Pattern: "GET /v1/dead-letters", Needs: schemas.MayRead},
		{Pattern: "GET /v1/dead-letters/{seq}", Needs: schemas.MayRead},
		{Pattern: "GET /v1/audit", Needs: schemas.MayRead},

		{Pattern: "POST /v1/bulletins/{period}", Needs: schemas.MayIssue, Act: "bulletin.publish", Target: "period"},
		{Pattern: "POST /v1/assessments/{year}", Needs: schemas.MayIssue, Act: "assessment.finalise", Target: "year"},

		{Pattern: "POST /v1/dead-letters/{seq}/resend", Needs: schemas.MayAdminister, MaxBody: statement, Act: "deadletter.resend", Target: "seq"},
		{Pattern: "POST /v1/dead-letters/{seq}/discard", Needs: schemas.MayAdminister, MaxBody: statement, Act: "deadletter.discard", Target: "seq"},
		{Pattern: "POST /v1/replay", Needs: schemas.MayAdminister, Act: "replay"},
		{Pattern: "GET /v1/tokens", Needs: schemas.MayAdminister},
		{Pattern: "POST /v1/tokens", Needs: schemas.MayAdminister, Act: "token.create"},
		{Pattern: "POST /v1/tokens/{id}/revoke", Needs: schemas.MayAdminister, Act: "token.revoke", Target: "id"},
	}
}
