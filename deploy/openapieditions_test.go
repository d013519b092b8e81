package deploy_test

import (
	"bytes"
	"fmt"
	"time"

	"milepost/schemas"
)

// editions takes an edition through its whole life, and an assessment through
// its announcement.
func (a *openAPI) editions() {
	a.t.Helper()
	const jsonBody, edition = "application/json", "/v1/editions/bulletin-2025-08"
	a.get("/v1/editions", 200)
	a.get(edition, 404)
	a.get("/v1/editions/nothing", 422)
	a.post("/v1/editions/2025-08/draft", jsonBody, `{"remarks":{"causes":["征地滞后。"]}}`, 200)
	a.post(edition+"/draft", "", "", 200)
	a.post("/v1/editions/2099-01/draft", "", "", 422)
	a.post(edition+"/publish", "", "", 409)
	until := schemas.DateOf(time.Now()) + 2
	a.post(edition+"/consult", jsonBody, fmt.Sprintf(`{"departments":["甲局"],"until":"%s"}`, until), 200)
	a.post(edition+"/approve", "", "", 409)
	a.post(edition+"/answer", jsonBody, `{"department":"甲局","text":"无意见。"}`, 200)
	a.post(edition+"/answer", jsonBody, `{"department":"乙局","text":"无意见。"}`, 403)
	a.post(edition+"/return", jsonBody, `{"remark":"请核实。"}`, 200)
	a.post(edition+"/approve", "", "", 409)
	a.post(edition+"/draft", "", "", 200)
	a.post(edition+"/approve", "", "", 200)
	for _, query := range []string{"", "?format=md&edition=media", "?format=json"} {
		a.get(edition+"/preview"+query, 200)
	}
	a.get(edition+"/preview?format=gif", 422)
	a.get(edition, 200)
	published := into[schemas.EditionStatus](a, a.post(edition+"/publish", "", "", 200))
	for _, file := range published.Files {
		if content := a.get(file.Path, 200); len(content) == 0 {
			a.t.Errorf("%s is empty", file.Name)
		}
	}
	a.get(edition+"/files/nothing.md", 404)
	a.post(edition+"/correct", jsonBody, `{}`, 409)
	a.post(edition+"/correct", jsonBody, `{"remark":"文字更正。"}`, 200)
	a.post(edition+"/withdraw", jsonBody, `{"reason":"数据有误。"}`, 200)
	if body := a.get(published.Files[0].Path, 410); !bytes.Contains(body, []byte("数据有误")) {
		a.t.Errorf("withdrawn: %s", body)
	}
	a.post("/v1/assessments/2024/object", jsonBody, `{"group":"district","key":"xiuwu","text":"不实。"}`, 409)
	a.post("/v1/assessments/2025/announce", jsonBody, `{"days":91}`, 422)
	a.post("/v1/assessments/2025/announce", jsonBody, `{"days":3}`, 200)
	a.post("/v1/assessments/2025/announce", jsonBody, `{"days":3,"again":true}`, 409)
	a.post("/v1/assessments/2025/object", jsonBody, `{"group":"district","key":"xiuwu","text":"不实。"}`, 200)
	a.post("/v1/assessments/2025/object", jsonBody, `{"group":"district","key":"nowhere","text":"不实。"}`, 422)
	a.get("/v1/editions", 200)
}
