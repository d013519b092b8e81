package deploy_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// strangeMessages puts messages on the stream past the producers, and gives the
// pages of their dead letters when they are there.
func strangeMessages(p *process, bodies ...string) []string {
	p.t.Helper()
	stream := p.stream()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var places []string
	var last uint64
	for _, body := range bodies {
		ack, err := stream.Publish(ctx, "milepost.events.shanyang.P-0001.issue.raised", []byte(body))
		if err != nil {
			p.t.Fatal(err)
		}
		last = ack.Sequence
		places = append(places, fmt.Sprintf("/admin/dead-letters/%d", last))
	}
	admin, _ := p.token("--role", "admin")
	if status, text := p.send(http.MethodGet, fmt.Sprintf("/v1/ledger?known=%d", last), admin, "", ""); status != http.StatusOK { // waits
		p.t.Fatalf("%d %s", status, text)
	}
	return places
}

// TestAdminRunsTheServerFromTheBrowser makes and revokes tokens, mends and
// discards dead letters, sends an edition again, and reads what the rest says;
// the audit has it all, and nobody else sees it.
func TestAdminRunsTheServerFromTheBrowser(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	config := filepath.Join(folder, "milepost.yaml")
	if err := os.WriteFile(config, []byte("delivery: {targets: [{name: archive, type: folder, dir: "+filepath.Join(folder, "out")+"}]}\nbulletins: {formats: [json, md]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := serve(t, "--config", config)
	v := server.visitor()
	v.want(http.StatusOK, http.MethodGet, "/admin/tokens", nil, "还没有令牌", "milepost token create", "!新建令牌")
	v.want(http.StatusForbidden, http.MethodPost, "/admin/tokens", url.Values{"role": {"admin"}}, "令牌由运行服务的用户")
	admin, _ := server.token("--role", "admin", "--name", "系统管理员")
	office, _ := server.token("--role", "office", "--district", "shanyang")
	analyst, _ := server.token("--role", "analyst")
	someProjects(server)
	v.login(admin)

	// The pages are nobody else's.
	for _, other := range []string{office, analyst} {
		stranger := server.visitor()
		stranger.login(other)
		for _, path := range []string{"/admin", "/admin/tokens", "/admin/rules", "/admin/schedule", "/admin/deliveries", "/admin/dead-letters"} {
			stranger.want(http.StatusForbidden, http.MethodGet, path, nil, "没有这项权限", "!系统管理员")
		}
		stranger.want(http.StatusForbidden, http.MethodPost, "/admin/tokens", url.Values{"role": {"admin"}})
		stranger.want(http.StatusOK, http.MethodGet, "/ledger", nil, `!href="/admin"`)
	}
	v.want(http.StatusOK, http.MethodGet, "/admin", nil, "milepost 0.", "NATS", "ClickHouse", "剩余", "已全部入库", "没有待处理的", "须用令牌登录", "!事件归档")
	if out := server.mustRun(nil, "archive", "--keep-days", "0", "--purge"); !strings.Contains(out, "archived") { // as the operator
		t.Errorf("archived: %s", out)
	}
	v.want(http.StatusOK, http.MethodGet, "/admin", nil, "事件归档", "至流序号", "1 个分段")
	v.want(http.StatusOK, http.MethodGet, "/admin/rules", nil, config, "次月 10 日", "落地 30，开工 30，投产 20", "修武县", "一包到底", "现行")
	v.want(http.StatusOK, http.MethodGet, "/admin/schedule", nil, "月通报", "after-report-day", "人工签发", "Asia/Shanghai")

	// A token is shown once, lets in, and is revoked.
	v.want(http.StatusUnprocessableEntity, http.MethodPost, "/admin/tokens", url.Values{"role": {"office"}, "expires": {"soon"}, "name": {"新办公室"}}, "要选县(市)区", "有效期不对", `value="新办公室"`)
	made := v.want(http.StatusCreated, http.MethodPost, "/admin/tokens", url.Values{"role": {"office"}, "district": {"xiuwu"}, "expires": {"90d"}, "name": {"修武县办公室"}}, "只显示这一次", "修武县办公室")
	secret := regexp.MustCompile(`<code class="secret">(mp_([a-z0-9]+)_[a-z0-9]+)</code>`).FindStringSubmatch(made.body)
	if secret == nil {
		t.Fatalf("no token: %.2000s", made.body)
	}
	v.want(http.StatusOK, http.MethodGet, "/admin/tokens", nil, "修武县办公室", "!"+secret[1])
	holder := server.visitor()
	holder.login(secret[1])
	holder.want(http.StatusOK, http.MethodGet, "/report/milestone", nil, "云台山康养小镇")
	v.want(http.StatusSeeOther, http.MethodPost, "/admin/tokens/"+secret[2]+"/revoke", url.Values{})
	v.want(http.StatusOK, http.MethodGet, "/admin/tokens?done=revoked", nil, "令牌已作废", "已作废</span>")
	holder.want(http.StatusSeeOther, http.MethodGet, "/report/milestone", nil)

	// A dead letter is mended, another discarded.
	broken := strangeMessages(server, `{"specversion":"1.0","id":"x-1","source":"/offices/shanyang","type":"issue.raised.v1","subject":"P-0001","time":"2025-11-01T09:00:00+08:00","district":"shanyang","data":{"issue_id":"Q-1","title":"用地","category":"land","department":"甲局","raised_on":"2025-10-31","due_on":"someday"}}`, "not json <script>")
	v.want(http.StatusOK, http.MethodGet, "/admin/dead-letters", nil, "待处理", "data.due_on", "!<script>")
	page := v.want(http.StatusOK, http.MethodGet, broken[0], nil, "someday", "重新报送", "作废退件")
	text := page.body[strings.Index(page.body, "<textarea"):]
	if !strings.Contains(text, "&#34;issue_id&#34;: &#34;Q-1&#34;") {
		t.Errorf("the text to mend: %.800s", text)
	}
	event := `{"specversion":"1.0","id":"x-1","source":"/offices/shanyang","type":"issue.raised.v1","subject":"P-0001","time":"2025-11-01T09:00:00+08:00","district":"shanyang","data":{"issue_id":"Q-1","title":"用地","category":"land","department":"甲局","raised_on":"2025-10-31","due_on":"DAY"}}`
	v.want(http.StatusUnprocessableEntity, http.MethodPost, broken[0]+"/resend", url.Values{"event": {event}}, "没有办成", "日期不对", "DAY")
	v.want(http.StatusSeeOther, http.MethodPost, broken[0]+"/resend", url.Values{"event": {strings.Replace(event, "DAY", "2025-12-31", 1)}})
	v.want(http.StatusUnprocessableEntity, http.MethodPost, broken[1]+"/discard", url.Values{"reason": {" "}}, "没有写原因")
	v.want(http.StatusSeeOther, http.MethodPost, broken[1]+"/discard", url.Values{"reason": {"误发"}})
	v.want(http.StatusOK, http.MethodGet, "/admin/dead-letters?done=discarded", nil, "没有待处理的退件", "已作废结案")
	v.want(http.StatusOK, http.MethodGet, "/admin/dead-letters?all=1", nil, "已重报")
	v.want(http.StatusOK, http.MethodGet, broken[1], nil, "作废，误发", "!作废退件")
	v.want(http.StatusConflict, http.MethodPost, broken[1]+"/discard", url.Values{"reason": {"x"}}, "没有办成")

	// What was published is delivered, and once more when asked for.
	if status, text := server.send(http.MethodPost, "/v1/bulletins/2025-10", admin, "", ""); status != http.StatusOK {
		t.Fatalf("publish: %d %s", status, text)
	}
	v.want(http.StatusSeeOther, http.MethodPost, "/admin/deliveries/bulletin-2025-10/again", url.Values{"target": {"archive"}})
	v.want(http.StatusOK, http.MethodGet, "/admin/deliveries?done=again", nil, "archive", "再次发送", "已排队", "bulletin-2025-10")
	v.want(http.StatusNotFound, http.MethodPost, "/admin/deliveries/none/again", url.Values{}, "出错了")

	if status, text := server.send(http.MethodGet, "/v1/audit", admin, "", ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	} else {
		for _, act := range []string{"token.create", "token.revoke", "deadletter.resend", "deadletter.discard", "delivery.again"} {
			if !strings.Contains(text, `"`+act+`"`) {
				t.Errorf("the audit lacks %s", act)
			}
		}
		if strings.Contains(text, secret[1]) {
			t.Error("the audit has a secret")
		}
	}
}
